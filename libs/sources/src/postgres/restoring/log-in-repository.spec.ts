import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { initialiseRepository, type Collection, type Repository } from '@catena/vault';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ProgressMeter } from '../../files/progress-meter.ts';
import type { LogToRoll } from '../../port/source-driver.ts';
import { ScratchFolder } from '../../testing/sample-tree.ts';
import { LOG_FOLDER, LogFiles, partName } from '../log/log-files.ts';
import { LogInRepository } from './log-in-repository.ts';
import { LogOnDisk, type ReadableLog } from './readable-log.ts';
import { writeLogs } from './roll-logs.ts';

const SIZE = 131_072;
const [first = '', second = '', third = ''] = [1, 2, 3].map((n) => `00000001000000000000000${n}`);

describe('the log of a restore, read before it is written', () => {
  const scratch = new ScratchFolder();
  let repository: Repository;
  let collection: Collection;

  beforeAll(async () => {
    repository = await initialiseRepository(scratch.at('repository'), { keys: [], installation: 'here' });
    collection = repository.collection('cluster');
  });
  afterAll(async () => {
    await repository.close();
    scratch.remove();
  });

  /** A backup with these files of the log. */
  async function backup(id: string, type: 'full' | 'log', files: Readonly<Record<string, Buffer>>) {
    const writer = await collection.beginBackup({
      ...{ backupId: id, run: id, attempt: 1, type, startedAt: new Date() },
      source: { name: 'c', uid: 'c', family: 'postgres:1', driver: 'postgres' },
    });
    const stored = new LogFiles(writer, new ProgressMeter(undefined), () => new Date());
    for (const [name, bytes] of Object.entries(files))
      await stored.storeSegment(name, BigInt(SIZE), once(bytes));
    await stored.addAll();
    await writer.finish({
      asOf: new Date(),
      position: { start: '0', end: '1' },
      driverDetails: { walSegmentSize: SIZE },
    });
  }

  const filled = (text: string, length: number) => Buffer.alloc(length, text);

  it('is what lies on disk then: later segments, ends behind what is there, and zeros behind the end', async () => {
    const whole = { [first]: filled('a', SIZE), [second]: filled('old', SIZE) };
    await backup('data', 'full', whole);
    await backup('log 1', 'log', {
      [second]: filled('b', 50_000),
      [partName(third, 77n)]: filled('nobody needs it', 100),
      '00000002.history': Buffer.from('1\t0/3000000\twhy\n'),
    });
    await backup('log 2', 'log', { [partName(second, 50_000n)]: filled('c', 30_000) });
    await backup('log 3', 'log', {
      [partName(second, 70_000n)]: filled('d', 20_000),
      [third]: filled('e', 10),
    });
    await backup('log 4', 'log', { [third]: filled('f', 70_000) });
    const logs = (await collection.backups(['log 1', 'log 2', 'log 3', 'log 4'])).map(
      ({ manifest }): LogToRoll => ({ manifest, open: () => collection.openBackup(manifest.backup) }),
    );
    const folder = scratch.at('data');
    mkdirSync(path.join(folder, LOG_FOLDER), { recursive: true });
    for (const [name, bytes] of Object.entries(whole))
      writeFileSync(path.join(folder, LOG_FOLDER, name), bytes);
    const owner = { uid: process.getuid!(), gid: process.getgid!() };
    await writeLogs(folder, logs, owner, undefined);
    const base = await collection.openBackup('data');
    await using log = await LogInRepository.list(base, logs);
    expect(await log.names()).toEqual([first, second, third, '00000002.history'].sort());
    expect(await log.names()).toEqual(readdirSync(path.join(folder, LOG_FOLDER)).sort());
    for (const name of [first, second, third]) {
      const onDisk = readFileSync(path.join(folder, LOG_FOLDER, name));
      expect(onDisk).toHaveLength(SIZE);
      expect((await contentOf(log, name)).equals(onDisk)).toBe(true);
      expect((await contentOf(new LogOnDisk(folder), name)).equals(onDisk)).toBe(true);
      expect([await log.size(name), await new LogOnDisk(folder).size(name)]).toEqual([SIZE, SIZE]);
    }
    expect(await log.history('00000002.history')).toBe('1\t0/3000000\twhy\n');
    await base.close();
  });
});

async function contentOf(log: ReadableLog, segment: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of log.content(segment)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer, void, void> {
  yield await Promise.resolve(bytes);
}
