/**
 * Writes one backup of pseudo-random files and ends. Fault tests start it as a process of its own, so that it can be
 * killed. Arguments: repository folder, key file text, attempt, number of files of 1 MiB, `large` for packs as large as
 * usual, and after how many files it kills itself. Says on standard error how many files were read, and at the end on standard output how many bytes were stored.
 */
import { initialiseRepository, NotARepositoryError, openRepository, parseKeyFile } from '../index.ts';
import { bytesReader, fileEntry, planOf } from './file-tree.ts';
import { seededBytes } from './seeded-bytes.ts';

const [folder, key, attempt, files, packs, last] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string?,
  string?,
];
const keys = [parseKeyFile(key)];

const repository = await openRepository(folder, { keys }).catch((error: unknown) => {
  if (error instanceof NotARepositoryError)
    return initialiseRepository(folder, { keys, installation: 'here' });
  throw error;
});
const collection = repository.collection('c');
const adopted = await collection.adopt('run-b');
if (adopted !== undefined) process.stdout.write(`0\n${adopted.hash}\n`);
else {
  const plan = planOf('b', { attempt: Number(attempt) });
  const writer = await collection.beginBackup(plan, packs === 'large' ? {} : { packBytes: 1024 * 1024 });
  for (let i = 0; i < Number(files); i++) {
    const bytes = seededBytes(1024 * 1024, i);
    await writer.add(fileEntry(`file-${String(i).padStart(4, '0')}`, bytes.length), {
      read: bytesReader(bytes),
    });
    process.stderr.write(`${i + 1}\n`);
    if (i + 1 === Number(last)) process.kill(process.pid, 'SIGKILL');
  }
  const { manifest, hash } = await writer.finish();
  process.stdout.write(`${manifest.statistics.bytesNew}\n${hash}\n`);
}
await repository.close();
