/** One step of the benchmark in a process of its own: null, full, incremental or restore. */
import path from 'node:path';
import { existsSync } from 'node:fs';
import { BaseBackup, ReplicationConnection, postgresDriver } from '@catena/sources';
import { generateKeyFile, initialiseRepository, openRepository, readKey } from '@catena/vault';

const [name, work, port, id, more] = process.argv.slice(2);
process.env.BENCH_PASSWORD = 'only-for-tests';
const spec = {
  host: '127.0.0.1',
  port: Number(port),
  user: 'backup',
  password: { env: 'BENCH_PASSWORD' },
  tls: { mode: 'disable' },
};

if (name === 'null') {
  const address = { ...spec, password: process.env.BENCH_PASSWORD, tls: 'disable' };
  using connection = await ReplicationConnection.open(address);
  const backup = await BaseBackup.begin(connection, {
    label: 'bench',
    checkpoint: 'fast',
    includeWal: true,
    manifestChecksums: 'SHA256',
    verifyChecksums: true,
  });
  for await (const part of backup.parts()) void part;
  await backup.end();
} else {
  const folder = path.join(work, 'repository');
  const key = path.join(work, 'key');
  if (!existsSync(key)) await generateKeyFile(key);
  const keys = [await readKey({ keyFile: { path: key } })];
  const repository = existsSync(folder)
    ? await openRepository(folder, { keys })
    : await initialiseRepository(folder, { keys, installation: 'bench' });
  const collection = repository.collection('bench');
  if (name === 'restore') {
    const reader = await collection.openBackup(id);
    await postgresDriver.restore(reader, more, { run: 'bench' });
    await reader.close();
  } else {
    const writer = await collection.beginBackup({
      backupId: id,
      run: `run-${id}`,
      attempt: 1,
      type: name,
      startedAt: new Date(),
      source: { name: 'bench', uid: 'bench', family: await postgresDriver.family(spec), driver: 'postgres' },
      ...(name === 'incremental' ? { parent: more } : {}),
    });
    const { summary } = await postgresDriver.backup(spec, writer);
    await writer.finish(summary);
  }
  await repository.close();
}
