import { statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { readEndpoints } from './home/endpoints.ts';
import { pingNats } from './nats/nats-probe.ts';
import { NATS_ROLES } from './nats/service-accounts.ts';
import { startPlatform, type Platform, type PlatformEvent } from './platform.ts';
import { EventRecorder } from './testing/event-recorder.ts';
import { temporaryFolder } from './testing/temporary-folder.ts';

const env = {
  PATH: process.env['PATH'],
  HOME: process.env['HOME'],
  CATENA_CACHE: process.env['CATENA_CACHE'],
};

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

async function pingAs(platform: Platform, role: (typeof NATS_ROLES)[number]): Promise<string> {
  const { hostname, port } = new URL(platform.endpoints.nats.url);
  const login = platform.endpoints.nats.users[role];
  return (await pingNats({ host: hostname, port: Number(port) }, login, AbortSignal.timeout(5_000)))
    .server_name;
}

describe('the servers of a home', () => {
  it('starts both, takes logins of every role, keeps ports, passwords and data over a restart', async () => {
    await using folder = await temporaryFolder();
    const home = path.join(folder.path, '.catena');
    await using first = await startPlatform({ home, env });
    const names = await Promise.all(NATS_ROLES.map((role) => pingAs(first, role)));
    expect(new Set(names).size).toBe(1);
    await query(first.endpoints.postgres.url, 'create table kept (n int); insert into kept values (1)');
    expect(readEndpoints(home, {})).toEqual(first.endpoints);
    expect(statSync(path.join(home, 'secrets')).mode & 0o777).toBe(0o700);
    for (const secret of ['nats-users.json', 'nats-accounts.conf', 'postgres.json']) {
      expect(statSync(path.join(home, 'secrets', secret)).mode & 0o777).toBe(0o600);
    }
    await first.stop();
    expect(() => readEndpoints(home, {})).toThrow(expect.objectContaining({ code: 'embedded.not-started' }));

    await using second = await startPlatform({ home, env });
    expect(second.endpoints).toEqual(first.endpoints);
    expect(await query(second.endpoints.postgres.url, 'select n from kept')).toEqual([{ n: 1 }]);
    await second.stop();
  });

  it('refuses a login with another password, and one without', async () => {
    await using folder = await temporaryFolder();
    await using platform = await startPlatform({ home: path.join(folder.path, '.catena'), env });
    const address = { host: '127.0.0.1', port: Number(new URL(platform.endpoints.nats.url).port) };
    const wrong = { user: 'operator', password: 'guessed' };
    await expect(pingNats(address, wrong, AbortSignal.timeout(5_000))).rejects.toThrow(
      /Authorization Violation/,
    );
    await expect(pingNats(address, undefined, AbortSignal.timeout(5_000))).rejects.toThrow(
      /Authorization Violation/,
    );
    const url = new URL(platform.endpoints.postgres.url);
    url.password = 'guessed';
    await expect(query(url.href, 'select 1')).rejects.toThrow(/password authentication failed/);
    await platform.stop();
  });

  it('tells a second start who has the folder', async () => {
    await using folder = await temporaryFolder();
    const home = path.join(folder.path, '.catena');
    await using platform = await startPlatform({ home, env });
    await expect(startPlatform({ home, env })).rejects.toMatchObject({
      code: 'embedded.home-in-use',
      details: {
        pid: process.pid,
        command: expect.stringContaining('jest'),
        since: expect.any(String),
      },
    });
    await platform.stop();
  });

  it('brings killed servers back on their ports, also beside a session that does not notice', async () => {
    await using folder = await temporaryFolder();
    const recorder = new EventRecorder<PlatformEvent>();
    await using platform = await startPlatform({
      home: path.join(folder.path, '.catena'),
      env,
      onEvent: recorder.record,
    });
    const url = platform.endpoints.postgres.url;
    await query(url, 'create table kept (n int); insert into kept values (1)');
    // Never looks up from its work: it outlives the server that it belongs to.
    const busy = query(url, 'select count(*) from generate_series(1, 20000000000)').then(
      () => 'finished',
      () => 'cut off',
    );
    const atWork =
      "select 1 from pg_stat_activity where query like '%generate_series%' and pid <> pg_backend_pid()";
    while ((await query(url, atWork)).length === 0);
    const before = { nats: platform.nats.pid, postgres: platform.postgres.pid };
    process.kill(before.nats!, 'SIGKILL');
    process.kill(before.postgres!, 'SIGKILL');
    await recorder.until((event) => event.type === 'child.restarted' && event.name === 'nats');
    await recorder.until((event) => event.type === 'child.restarted' && event.name === 'postgres');
    expect(await busy).toBe('cut off');
    expect(platform.nats.pid).not.toBe(before.nats);
    expect(await pingAs(platform, 'scheduler')).toMatch(/^catena-/);
    expect(await query(url, 'select n from kept')).toEqual([{ n: 1 }]);
    await platform.stop();
  });

  it('chooses other ports when somebody has taken its own', async () => {
    await using folder = await temporaryFolder();
    const home = path.join(folder.path, '.catena');
    await using first = await startPlatform({ home, env });
    await first.stop();
    const port = Number(new URL(first.endpoints.nats.url).port);
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(port, '127.0.0.1', resolve));
    await using second = await startPlatform({ home, env });
    expect(second.endpoints.nats.url).not.toBe(first.endpoints.nats.url);
    expect(second.endpoints.postgres.url).toBe(first.endpoints.postgres.url);
    expect(await pingAs(second, 'mover')).toMatch(/^catena-/);
    await second.stop();
    await new Promise((resolve) => squatter.close(resolve));
  });

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
    expect(await query(anew.endpoints.postgres.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await anew.stop();
  });
});
