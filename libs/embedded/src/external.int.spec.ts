import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startPlatform } from './platform.ts';
import { readEndpoints } from './home/endpoints.ts';
import { findFreePort } from './free-port.ts';
import { identifyProcess } from './process/process-identity.ts';
import { runPlatformProcess } from './testing/process/run-platform-process.ts';
import { startTestNats, type TestNats } from './testing/test-nats.ts';
import { startTestPostgres, type TestPostgres } from './testing/test-postgres.ts';
import { temporaryFolder } from './testing/temporary-folder.ts';

// Several starts of real servers each; the machine may be busy with other suites.

let nats: TestNats;
let postgres: TestPostgres;

beforeAll(async () => {
  [nats, postgres] = await Promise.all([startTestNats(), startTestPostgres()]);
});

afterAll(async () => {
  await nats.close();
  await postgres.close();
});

describe('servers that others run', () => {
  it('are used instead of our own, which are ended when they survived an earlier start', async () => {
    await using folder = await temporaryFolder();
    const home = path.join(folder.path, '.catena');
    const before = await runPlatformProcess({ home });
    await before.kill9();
    const { user, password } = nats.users.operator;
    const env = {
      CATENA_NATS_URL: `nats://${user}:${password}@${nats.host}:${nats.port}`,
      CATENA_DATABASE_URL: postgres.url,
    };
    await using platform = await startPlatform({ home, env });
    expect(platform.endpoints).toEqual({
      nats: {
        url: nats.url,
        users: expect.objectContaining({ mover: { user, password }, operator: { user, password } }),
        external: true,
      },
      postgres: { url: postgres.url, external: true },
    });
    expect(platform.nats).toMatchObject({ external: true });
    expect(platform.nats.pid).toBeUndefined();
    expect(identifyProcess(before.answer['nats'] as number)).toBeUndefined();
    expect(identifyProcess(before.answer['postgres'] as number)).toBeUndefined();
    // Another program of the same home finds them without that environment.
    expect(readEndpoints(home, {})).toEqual(platform.endpoints);
  });

  it('are asked for what we need: an address that answers, our logins', async () => {
    await using folder = await temporaryFolder();
    const home = path.join(folder.path, '.catena');
    const nobodyThere = `nats://127.0.0.1:${await findFreePort()}`;
    const database = { url: postgres.url };
    await expect(
      startPlatform({ home, env: {}, nats: { url: nobodyThere }, postgres: database }),
    ).rejects.toMatchObject({
      code: 'embedded.nats-unreachable',
    });
    const stranger = { operator: { user: 'stranger', password: 'secret-of-mine' } };
    const refused = await startPlatform({
      home,
      env: {},
      nats: { url: nats.url, users: stranger },
      postgres: database,
    }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refused).toMatchObject({ code: 'embedded.nats-unreachable' });
    expect(JSON.stringify(refused) + String(refused)).not.toContain('secret-of-mine');
    const wrong = new URL(postgres.url);
    wrong.password = 'secret-of-mine';
    const noLogin = await startPlatform({
      home,
      env: {},
      nats: { url: nats.url },
      postgres: { url: wrong.href },
    }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(noLogin).toMatchObject({ code: 'embedded.postgres-unreachable' });
    expect(JSON.stringify(noLogin) + String(noLogin)).not.toContain('secret-of-mine');
  });
});
