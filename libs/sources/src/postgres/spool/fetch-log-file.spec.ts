import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { initialiseRepository, type Collection, type Repository } from '@catena/vault';
import { ScratchFolder } from '../../testing/sample-tree.ts';
import { LOG_FOLDER, partName } from '../log/log-files.ts';
import { formatLsn, segmentName } from '../wire/lsn.ts';
import { fetchLogFile } from './fetch-log-file.ts';
import { allLogs, likelyHistories, likelyLogs } from './log-manifests.ts';
import { LogMemory } from './log-memory.ts';
import { historyName } from './wal-file-name.ts';

/** Small, so that many logs cost little; nothing here knows how large a server's are. */
const SIZE = 1024n;
const BEGIN = 5n * SIZE;
const LOGS = 12;
/** Logs of each timeline, where there are several. */
const EACH = 8;

interface LogInTest {
  readonly timeline?: number;
  readonly copyOnly?: boolean;
  /** The timeline its server is on, and what the history of that says. */
  readonly server?: number;
  readonly history?: string;
  /** Whether the log backup says which that is. */
  readonly says?: boolean;
}

describe('a segment out of many log backups', () => {
  const scratch = new ScratchFolder();
  let repository: Repository;
  let collection: Collection;
  /** What the server wrote from position 0 on. */
  const written = randomBytes(Number(BEGIN) + LOGS * 3 * Number(SIZE));
  const nameOf = (position: bigint, timeline = 1) => segmentName(timeline, position, SIZE);
  let number = 0;

  /** A log backup of a stretch, begun a while after the one before. */
  async function log(start: bigint, end: bigint, more: LogInTest = {}): Promise<void> {
    const { timeline = 1, copyOnly = false, history = '', server = timeline, says = true } = more;
    number += 1;
    const startedAt = new Date(Date.UTC(2026, 0, 1, 0, number));
    const writer = await collection.beginBackup({
      ...{ backupId: `log-${number}`, run: `run-${number}`, attempt: 1, type: 'log', startedAt, copyOnly },
      source: { name: 'c', uid: 'c', family: 'f', driver: 'postgres' },
    });
    const entry = {
      kind: 'file',
      mode: 0o600,
      uid: 0,
      gid: 0,
      mtime: 0n,
      ctime: 0n,
      inode: 0n,
      device: 0n,
    } as const;
    const addHistory = async () => {
      if (history === '') return;
      const text = Buffer.from(history);
      const path = Buffer.from(`${LOG_FOLDER}/${historyName(server)}`);
      const read = { sizeHint: BigInt(text.length), open: () => pieces(text) };
      await writer.add({ ...entry, path, size: BigInt(text.length) }, { read });
    };
    if (server === timeline) await addHistory();
    for (let at = start - (start % SIZE); at < end; at += SIZE) {
      const from = at < start ? start : at;
      const bytes = written.subarray(Number(from), Number(at + SIZE < end ? at + SIZE : end));
      const path = Buffer.from(`${LOG_FOLDER}/${partName(nameOf(at, timeline), from - at)}`);
      const read = { sizeHint: BigInt(bytes.length), open: () => pieces(bytes) };
      await writer.add({ ...entry, path, size: BigInt(bytes.length) }, { read });
    }
    // Entries come in the order of their names.
    if (server > timeline) await addHistory();
    await writer.finish({
      position: { start: start.toString(), end: end.toString(), fork: '1' },
      driverDetails: {
        ...(says ? { serverTimeline: server } : {}),
        ...{ timeline, startLsn: formatLsn(start), endLsn: formatLsn(end), walSegmentSize: Number(SIZE) },
      },
    });
  }

  async function* pieces(bytes: Uint8Array) {
    yield await Promise.resolve(bytes);
  }

  beforeAll(async () => {
    repository = await initialiseRepository(scratch.at('repository'), { keys: [], installation: 'here' });
    collection = repository.collection('c');
    // Each ends within a segment, so that the next has the end of it.
    for (let one = 0n; one < BigInt(LOGS); one += 1n)
      await log(BEGIN + one * 2n * SIZE + (one === 0n ? 0n : 100n), BEGIN + (one + 1n) * 2n * SIZE + 100n);
  });
  afterAll(async () => {
    await repository.close();
    scratch.remove();
  });

  it('is put together from the few that hold a part of it', async () => {
    const target = scratch.at('fetched');
    for (let segment = 0n; segment < BigInt(LOGS) * 2n; segment += 5n) {
      const from = BEGIN + segment * SIZE;
      const likely = await likelyLogs(collection, { timeline: 1, segment: nameOf(from) });
      expect(likely.length).toBeLessThanOrEqual(2);
      expect(await fetchLogFile(collection, nameOf(from), target)).toBe(true);
      expect(readFileSync(target).equals(written.subarray(Number(from), Number(from + SIZE)))).toBe(true);
    }
  });

  it('is found where only a copy-only log has all of it, out of the order of the others', async () => {
    const late = BEGIN + BigInt(LOGS) * 2n * SIZE;
    await log(BEGIN + 3n * SIZE, late + 2n * SIZE, { copyOnly: true });
    const [likely, all] = [
      await likelyLogs(collection, { timeline: 1, segment: nameOf(BEGIN) }),
      await allLogs(collection),
    ];
    expect(likely.length).toBeLessThan(all.length);
    const target = scratch.at('fetched');
    expect(await fetchLogFile(collection, nameOf(late + SIZE), target)).toBe(true);
    expect(readFileSync(target).equals(written.subarray(Number(late + SIZE), Number(late + 2n * SIZE)))).toBe(
      true,
    );
  });

  it('is not given from another timeline, nor from where no log is', async () => {
    const target = scratch.at('fetched');
    expect(await fetchLogFile(collection, nameOf(BEGIN, 2), target)).toBe(false);
    expect(await fetchLogFile(collection, nameOf(BEGIN + 1000n * SIZE), target)).toBe(false);
    await expect(fetchLogFile(collection, nameOf(0n), target)).rejects.toMatchObject({ code: 'wal.gap' });
  });

  it('that no backup holds is said from what is remembered of manifests, and what is new is noticed', async () => {
    const own = collection;
    collection = repository.collection('remembered');
    try {
      for (let one = 0n; one < 12n; one += 1n) await log(BEGIN + one * SIZE, BEGIN + (one + 1n) * SIZE);
      const folder = scratch.at('memory');
      const failures: Error[] = [];
      const asked = (name: string) => {
        const memory = new LogMemory(folder, collection.origin, (error) => failures.push(error));
        return fetchLogFile(collection, name, scratch.at('fetched'), memory);
      };
      const next = nameOf(BEGIN + 12n * SIZE);
      expect(await asked(next)).toBe(false);
      expect(await asked(historyName(2))).toBe(false);

      // Whoever reads these now says that they are damaged.
      const logFolders = await collection.logFolders();
      const spoilt = logFolders.slice(3, 8).map((one) => {
        const manifest = scratch.at('repository', 'remembered', one, 'manifest.json');
        const bytes = readFileSync(manifest);
        writeFileSync(manifest, 'nothing');
        return { manifest, bytes };
      });
      expect(await asked(next)).toBe(false);
      expect(await asked(historyName(2))).toBe(false);
      const memory = readFileSync(path.join(folder, `${collection.origin}.1.jsonl`), 'utf8');
      expect(memory.split('\n').filter((one) => one !== '')).toHaveLength(12);

      await log(BEGIN + 12n * SIZE, BEGIN + 13n * SIZE, {
        server: 2,
        history: `1\t${formatLsn(BEGIN + 13n * SIZE)}\tno reason\n`,
      });
      expect(await asked(next)).toBe(true);
      expect(await asked(historyName(2))).toBe(true);
      expect(await asked(historyName(3))).toBe(false);

      // What cannot be understood of it is read again.
      writeFileSync(path.join(folder, `${collection.origin}.1.jsonl`), memory.slice(0, 700));
      await expect(asked(historyName(3))).rejects.toMatchObject({ code: 'wal.unreadable' });
      for (const { manifest, bytes } of spoilt) writeFileSync(manifest, bytes);
      expect(await asked(historyName(3))).toBe(false);
      expect(failures).toEqual([]);
      // Where nothing can be kept it is said, and the answer is right.
      writeFileSync(scratch.at('a file'), '');
      const nowhere = new LogMemory(scratch.at('a file'), collection.origin, (error) => failures.push(error));
      expect(await fetchLogFile(collection, next, scratch.at('fetched'), nowhere)).toBe(true);
      expect(await fetchLogFile(collection, historyName(3), scratch.at('fetched'), nowhere)).toBe(false);
      expect(failures).toHaveLength(1);
    } finally {
      collection = own;
    }
  });

  it.each([
    ['that say on which timeline their server was', true] as const,
    ...(process.env['CATENA_TEST_LONG'] === '1' ? [['that do not say it', false] as const] : []),
  ])('the history of a timeline is found in few logs, of those %s', async (_, says) => {
    const branched = repository.collection(`branched ${says}`);
    const own = collection;
    collection = branched;
    try {
      const left = (timeline: number, position: bigint) => `${timeline}\t${formatLsn(position)}\tno reason\n`;
      const histories: string[] = ['', ''];
      for (let timeline = 1; timeline <= 4; timeline += 1)
        for (let one = 0; one < EACH; one += 1) {
          const start = BEGIN + BigInt((timeline * EACH + one) % 20) * SIZE;
          // The last log of a timeline ends at the switch, and its server is on the next.
          const server = one === EACH - 1 && timeline < 4 ? timeline + 1 : timeline;
          histories[server] ??= `${histories[server - 1] ?? ''}${left(server - 1, start + SIZE)}`;
          await log(start, start + SIZE, {
            timeline,
            history: histories[server] ?? '',
            ...{ server, says },
          });
        }
      const target = scratch.at('fetched.history');
      for (let timeline = 2; timeline <= 4; timeline += 1) {
        let looked = 0;
        for await (const _one of likelyHistories(collection, timeline)) looked += 1;
        expect(looked).toBeLessThanOrEqual(12);
        expect(await fetchLogFile(collection, historyName(timeline), target)).toBe(true);
        expect(readFileSync(target, 'utf8')).toBe(histories[timeline]);
      }
      expect(await fetchLogFile(collection, historyName(5), target)).toBe(false);
    } finally {
      collection = own;
    }
  });
});
