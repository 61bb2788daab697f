import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BackedUpCluster } from '../testing/backed-up-cluster.ts';
import { sweepScratch } from './leftovers.ts';
import { ScratchServer } from './scratch-server.ts';

const SOURCE = new URL('./scratch-server.ts', import.meta.url).href;

describe('a server on a restored copy', () => {
  let here: BackedUpCluster;
  let folder: string;
  let end: string | undefined;

  beforeAll(async () => {
    here = await BackedUpCluster.start();
    await here.cluster.sql('CREATE TABLE kept AS SELECT n FROM generate_series(1, 10) n');
    end = (await here.backup('full', 'full')).manifest.position?.end;
    folder = await here.restore('full');
  });
  afterAll(() => here[Symbol.asyncDispose](), 60_000);

  const isThere = (pid: number) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  const gone = async (pid: number) => {
    while (isThere(pid)) await sleep(20);
  };
  const pidIn = (data: string) =>
    Number.parseInt(readFileSync(path.join(data, 'postmaster.pid'), 'utf8'), 10);

  it('is started with programs that are found by its version, and says how far it came', async () => {
    await using server = await ScratchServer.start({ folder });
    expect(await server.reached()).toMatchObject({
      position: BigInt(end ?? 0),
      timeline: 2,
      inRecovery: false,
    });
    const client = await server.connect('catena');
    expect((await client.query('SELECT count(*)::int AS rows FROM kept')).rows).toEqual([{ rows: 10 }]);
    await client.end();
  });

  it('ends with the one who started it, also when that one is killed', async () => {
    // A place of its own: what is left in the one that all share may be swept by anybody at once.
    const place = mkdtempSync(path.join(tmpdir(), 'catena-left-'));
    chmodSync(place, 0o755);
    const starter = spawn(
      process.execPath,
      [
        '--conditions=@catena/source',
        '--input-type=module',
        '-e',
        `
        const { ScratchServer } = await import(${JSON.stringify(SOURCE)});
        const server = await ScratchServer.start({ folder: ${JSON.stringify(folder)} });
        console.log(server.host);
        setInterval(() => undefined, 1000);`,
      ],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, NODE_OPTIONS: '', TMPDIR: place },
      },
    );
    const [host] = (await once(starter.stdout, 'data')) as [Buffer];
    const pid = pidIn(folder);
    expect(isThere(pid)).toBe(true);
    starter.kill('SIGKILL');
    await gone(pid);
    const left = host.toString().trim();
    expect(path.dirname(left)).toBe(place);
    expect(existsSync(left)).toBe(true);
    await sweepScratch(place);
    expect(existsSync(left)).toBe(false);
    rmSync(place, { recursive: true });
  });

  it('names the version when there are no programs for it', async () => {
    await expect(ScratchServer.start({ folder, bin: here.at() })).rejects.toMatchObject({
      code: 'embedded.postgres-not-found',
      message: expect.stringContaining('No PostgreSQL 18') as unknown,
    });
  });
});
