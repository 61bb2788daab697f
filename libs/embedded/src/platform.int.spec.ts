import { readFileSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readEndpoints } from './home/endpoints.ts';
import { pingNats } from './nats/nats-probe.ts';
import { NATS_ROLES } from './nats/service-accounts.ts';
import { startPlatform, type Platform, type PlatformEvent } from './platform.ts';
import { EventRecorder } from './testing/event-recorder.ts';
import { temporaryFolder } from './testing/temporary-folder.ts';
import { rowsOf } from './testing/rows-of.ts';

// Several starts of real servers each; the machine may be busy with other suites.

const env = {
  PATH: process.env['PATH'],
  HOME: process.env['HOME'],
  CATENA_CACHE: process.env['CATENA_CACHE'],
};

async function pingAs(platform: Platform, role: (typeof NATS_ROLES)[number]): Promise<string> {
  const { hostname, port } = new URL(platform.endpoints.nats.url);
  const login = platform.endpoints.nats.users[role];
  return (await pingNats({ host: hostname, port: Number(port) }, login, AbortSignal.timeout(60_000)))
    .server_name;
}

describe('the servers of a home', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let home: string;
  const recorder = new EventRecorder<PlatformEvent>();
  let platform: Platform;

  beforeAll(async () => {
    folder = await temporaryFolder();
    home = path.join(folder.path, '.catena');
    platform = await startPlatform({ home, env, onEvent: recorder.record });
    await rowsOf(platform.endpoints.postgres.url, 'create table kept (n int); insert into kept values (1)');
  });

  afterAll(async () => {
    await platform.stop();
    await folder[Symbol.asyncDispose]();
  });

  it('take the logins of every role, kept in files that others cannot read', async () => {
    const names = await Promise.all(NATS_ROLES.map((role) => pingAs(platform, role)));
    expect(new Set(names).size).toBe(1);
    expect(readEndpoints(home, {})).toEqual(platform.endpoints);
    expect(readFileSync(path.join(home, 'run', 'endpoints.json'), 'utf8')).not.toContain('assword');
    expect(statSync(path.join(home, 'secrets')).mode & 0o777).toBe(0o700);
    for (const secret of ['nats-users.json', 'nats-accounts.conf', 'postgres.json', 'external.json']) {
      expect(statSync(path.join(home, 'secrets', secret)).mode & 0o777).toBe(0o600);
    }
  });

  it('refuse a login with another password, and one without', async () => {
    const address = { host: '127.0.0.1', port: Number(new URL(platform.endpoints.nats.url).port) };
    const wrong = { user: 'operator', password: 'guessed' };
    const limit = () => AbortSignal.timeout(60_000);
    await expect(pingNats(address, wrong, limit())).rejects.toThrow(/Authorization Violation/);
    await expect(pingNats(address, undefined, limit())).rejects.toThrow(/Authorization Violation/);
    const url = new URL(platform.endpoints.postgres.url);
    url.password = 'guessed';
    await expect(rowsOf(url.href, 'select 1')).rejects.toThrow(/password authentication failed/);
  });

  it('are not started a second time: the second start is told who has the folder', async () => {
    await expect(startPlatform({ home, env })).rejects.toMatchObject({
      code: 'embedded.home-in-use',
      details: { pid: process.pid, command: expect.stringContaining('jest'), since: expect.any(String) },
    });
    expect(await pingAs(platform, 'client')).toMatch(/^catena-/);
  });

  it('come back on their ports when they are killed, also beside a session that does not notice', async () => {
    const url = platform.endpoints.postgres.url;
    // Never looks up from its work: it outlives the server that it belongs to.
    const busy = rowsOf(url, 'select count(*) from generate_series(1, 20000000000)').then(
      () => 'finished',
      () => 'cut off',
    );
    const atWork =
      "select 1 from pg_stat_activity where query like '%generate_series%' and pid <> pg_backend_pid()";
    while ((await rowsOf(url, atWork)).length === 0);
    const before = { nats: platform.nats.pid, postgres: platform.postgres.pid };
    process.kill(before.nats!, 'SIGKILL');
    process.kill(before.postgres!, 'SIGKILL');
    await recorder.until((event) => event.type === 'child.restarted' && event.name === 'nats');
    await recorder.until((event) => event.type === 'child.restarted' && event.name === 'postgres');
    expect(await busy).toBe('cut off');
    expect(platform.nats.pid).not.toBe(before.nats);
    expect(await pingAs(platform, 'scheduler')).toMatch(/^catena-/);
    expect(await rowsOf(url, 'select n from kept')).toEqual([{ n: 1 }]);
  });

  it('keep ports, passwords and data over a restart, but for a port that somebody has taken', async () => {
    const { endpoints } = platform;
    await platform.stop();
    expect(() => readEndpoints(home, {})).toThrow(expect.objectContaining({ code: 'embedded.not-started' }));
    platform = await startPlatform({ home, env });
    expect(platform.endpoints).toEqual(endpoints);
    await platform.stop();

    const squatter = createServer();
    const port = Number(new URL(endpoints.nats.url).port);
    await new Promise<void>((resolve) => squatter.listen(port, '127.0.0.1', resolve));
    platform = await startPlatform({ home, env });
    expect(platform.endpoints.nats.url).not.toBe(endpoints.nats.url);
    expect(platform.endpoints.nats.users).toEqual(endpoints.nats.users);
    expect(platform.endpoints.postgres).toEqual(endpoints.postgres);
    expect(await pingAs(platform, 'mover')).toMatch(/^catena-/);
    expect(await rowsOf(endpoints.postgres.url, 'select n from kept')).toEqual([{ n: 1 }]);
    await new Promise((resolve) => squatter.close(resolve));
  });
});

describe('a home that was damaged by hand', () => {
  it('says what to do when the passwords of the data are gone, and starts anew when the data is deleted', async () => {
    await using folder = await temporaryFolder();
    const home = path.join(folder.path, '.catena');
    await (await startPlatform({ home, env })).stop();
    await rm(path.join(home, 'secrets', 'postgres.json'));
    await expect(startPlatform({ home, env })).rejects.toMatchObject({
      code: 'embedded.postgres-unreachable',
      remedy: expect.stringContaining('delete'),
    });
    await rm(path.join(home, 'postgres', 'data'), { recursive: true });
    await using anew = await startPlatform({ home, env });
    expect(await rowsOf(anew.endpoints.postgres.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await anew.stop();
  });
});
