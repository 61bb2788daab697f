/**
 * How long `catena wal fetch` looks for a segment among many log backups.
 *
 *   node test/bench/wal-fetch.mjs [--logs 300] [--work DIR]
 *
 * Makes a repository with so many log backups of one segment of 1 MiB each, and fetches the first, one in the middle, the
 * last and what is in none, each from a repository that was just opened, in this process; the best of three. What is in none is
 * asked for without knowing any manifest, and again with those remembered.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { fetchLogFile, LogMemory } from '@catena/sources';
import { initialiseRepository, openRepository } from '@catena/vault';
import { ownFolder } from './own-folder.mjs';

const { values } = parseArgs({
  options: { logs: { type: 'string', default: '300' }, work: { type: 'string', default: '/var/tmp' } },
});
const logs = Number(values.logs);
const SEGMENT = 1_048_576n;
const hex = (number, width) => number.toString(16).toUpperCase().padStart(width, '0');
const lsn = (position) => `${hex(position >> 32n, 1)}/${hex(position & 0xffffffffn, 1)}`;
const nameOf = (position) =>
  hex(1n, 8) + hex(position >> 32n, 8) + hex((position & 0xffffffffn) / SEGMENT, 8);

/** A log backup of one segment of zeros. */
async function addLog(collection, number) {
  const start = BigInt(number) * SEGMENT;
  const end = start + SEGMENT;
  const writer = await collection.beginBackup(
    {
      ...{ backupId: `log-${number}`, run: `run-${number}`, attempt: 1, type: 'log' },
      startedAt: new Date(Date.UTC(2026, 0, 1, 0, number)),
      source: { name: 'bench', uid: 'bench', family: 'bench', driver: 'postgres' },
    },
    { workers: 0 },
  );
  const entry = {
    ...{ path: Buffer.from(`pg_wal/${nameOf(start)}`), kind: 'file', mode: 0o600, size: SEGMENT },
    ...{ uid: 0, gid: 0, mtime: 0n, ctime: 0n, inode: 0n, device: 0n },
  };
  const open = async function* () {
    yield Buffer.alloc(Number(SEGMENT));
  };
  await writer.add(entry, { read: { sizeHint: SEGMENT, open } });
  await writer.finish({
    position: { start: start.toString(), end: end.toString(), fork: '1' },
    driverDetails: {
      ...{
        timeline: 1,
        serverTimeline: 1,
        startLsn: lsn(start),
        endLsn: lsn(end),
        walSegmentSize: Number(SEGMENT),
      },
    },
  });
}

const { folder: work, remove } = await ownFolder(values.work, 'catena-bench-fetch-');
try {
  const folder = path.join(work, 'repository');
  const repository = await initialiseRepository(folder, { keys: [], installation: 'bench' });
  for (let number = 1; number <= logs; number += 1) await addLog(repository.collection('bench'), number);
  await repository.close();
  console.log('| segment | found | ms |\n| --- | --- | --- |');
  const memory = new LogMemory(path.join(work, 'memory'), 'bench', (error) => console.error(error));
  const at = (number) => nameOf(BigInt(number) * SEGMENT);
  const history = '00000002.history';
  const wanted = [
    ...[
      ['first', at(1)],
      ['middle', at(Math.ceil(logs / 2))],
      ['last', at(logs)],
    ],
    ...[
      ['in none', at(logs + 1)],
      ['in none, remembered', at(logs + 1), memory],
    ],
    ...[
      ['history in none', history],
      ['history in none, remembered', history, memory],
    ],
  ];
  for (const [what, name, known] of wanted) {
    const times = [];
    let found;
    for (let round = 0; round < 3; round += 1) {
      const opened = await openRepository(folder, { keys: [] });
      const begun = performance.now();
      found = await fetchLogFile(opened.collection('bench'), name, path.join(work, 'fetched'), known);
      times.push(performance.now() - begun);
      await opened.close();
    }
    console.log(`| ${what} | ${found} | ${Math.min(...times).toFixed(0)} |`);
  }
} finally {
  await remove();
}
