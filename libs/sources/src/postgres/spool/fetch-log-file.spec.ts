import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { initialiseRepository, type Collection, type Repository } from '@catena/vault';
import { ScratchFolder } from '../../testing/sample-tree.ts';
import { LOG_FOLDER, partName } from '../log/log-files.ts';
import { formatLsn, segmentName } from '../wire/lsn.ts';
import { fetchLogFile } from './fetch-log-file.ts';
import { allLogs, likelyLogs } from './log-manifests.ts';

/** Small, so that many logs cost little; nothing here knows how large a server's are. */
const SIZE = 1024n;
const BEGIN = 5n * SIZE;
const LOGS = 12;

describe('a segment out of many log backups', () => {
  const scratch = new ScratchFolder();
  let repository: Repository;
  let collection: Collection;
  /** What the server wrote from position 0 on. */
  const written = randomBytes(Number(BEGIN) + LOGS * 3 * Number(SIZE));
  const nameOf = (position: bigint, timeline = 1) => segmentName(timeline, position, SIZE);
  let number = 0;

  /** A log backup of a stretch, begun a while after the one before. */
  async function log(start: bigint, end: bigint, { timeline = 1, copyOnly = false } = {}): Promise<void> {
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
    for (let at = start - (start % SIZE); at < end; at += SIZE) {
      const from = at < start ? start : at;
      const bytes = written.subarray(Number(from), Number(at + SIZE < end ? at + SIZE : end));
      const path = Buffer.from(`${LOG_FOLDER}/${partName(nameOf(at, timeline), from - at)}`);
      const read = { sizeHint: BigInt(bytes.length), open: () => pieces(bytes) };
      await writer.add({ ...entry, path, size: BigInt(bytes.length) }, { read });
    }
    await writer.finish({
      position: { start: start.toString(), end: end.toString(), fork: '1' },
      driverDetails: {
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
});
