import { existsSync, readFileSync, statSync } from 'node:fs';
import { chown, cp, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { startPlatform } from './platform.ts';
import { lookUpUser } from './postgres/system-user.ts';
import { runPlatformProcess, type PlatformProcess } from './testing/process/run-platform-process.ts';
import { temporaryFolder } from './testing/temporary-folder.ts';
import { rowsOf } from './testing/rows-of.ts';

// Several starts of real servers each; the machine may be busy with other suites.

const asRoot = process.getuid?.() === 0;
const onDebian = /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'));
/** Where nats-server is not, so that it must be fetched. */
const NO_NATS = '/usr/bin:/bin';

function uidOf(pid: number): number {
  return statSync(`/proc/${pid}`).uid;
}

function messagesOf(process: PlatformProcess): string[] {
  return process.lines.flatMap((line) => (typeof line['message'] === 'string' ? [line['message']] : []));
}

(onDebian ? describe : describe.skip)('a normal user with an empty cache', () => {
  it('fetches nats-server once, also when two start at the same time, and runs both servers', async () => {
    await using folder = await temporaryFolder();
    const own = path.join(folder.path, 'own');
    await mkdir(own);
    const nobody = asRoot ? await lookUpUser('nobody') : undefined;
    if (nobody) await chown(own, nobody.uid, nobody.gid);
    const request = {
      home: path.join(own, '.catena'),
      env: { CATENA_CACHE: path.join(own, 'cache'), HOME: own, PATH: NO_NATS },
      ...(nobody ? { user: nobody.name, programs: path.join(folder.path, 'bin') } : {}),
    };
    const fetchers = await Promise.all([1, 2].map(() => runPlatformProcess({ ...request, natsOnly: true })));
    const found = fetchers.map(({ answer }) => answer);
    expect(found).toEqual([expect.objectContaining({ up: true }), expect.objectContaining({ up: true })]);
    const fetched = fetchers.flatMap(messagesOf).filter((message) => message.startsWith('nats-server '));
    expect(fetched).toHaveLength(1);

    const started = await runPlatformProcess(request);
    expect(started.answer).toMatchObject({ up: true });
    const uid = nobody?.uid ?? process.getuid?.();
    expect(uidOf(started.answer['nats'] as number)).toBe(uid);
    expect(uidOf(started.answer['postgres'] as number)).toBe(uid);
    expect(existsSync(path.join(request.home, 'postgres', 'data', 'PG_VERSION'))).toBe(true);
    await started.stop();
  });
});

(asRoot ? describe : describe.skip)('root in a folder that nobody else can enter', () => {
  it('drops PostgreSQL to another user and puts its data where that user can go, and says where', async () => {
    await using shut = await temporaryFolder(0o700);
    await using shared = await temporaryFolder(0o755);
    const home = path.join(shut.path, 'clone', '.catena');
    const options = { home, sharedFolder: path.join(shared.path, 'catena') };
    let url: string;
    {
      await using platform = await startPlatform(options);
      expect(uidOf(platform.postgres.pid!)).not.toBe(0);
      url = platform.endpoints.postgres.url;
      await rowsOf(url, 'create table kept (n int); insert into kept values (1)');
    }
    const location = JSON.parse(readFileSync(path.join(home, 'postgres', 'location.json'), 'utf8')) as {
      folder: string;
    };
    expect(path.dirname(location.folder)).toBe(options.sharedFolder);
    expect(statSync(path.join(location.folder, 'data')).mode & 0o777).toBe(0o700);

    const copy = path.join(shut.path, 'copy', '.catena');
    await cp(home, copy, { recursive: true });
    await expect(startPlatform({ ...options, home: copy })).rejects.toMatchObject({
      code: 'embedded.postgres-place-taken',
      details: { owner: home },
    });
    await rm(path.join(copy, 'postgres', 'location.json'));
    {
      await using beside = await startPlatform({ ...options, home: copy });
      await expect(rowsOf(beside.endpoints.postgres.url, 'select n from kept')).rejects.toThrow(
        /does not exist/,
      );
    }
    await using again = await startPlatform(options);
    expect(again.endpoints.postgres.url).toBe(url);
    expect(await rowsOf(url, 'select n from kept')).toEqual([{ n: 1 }]);
  });

  it('refuses a home of another user to a normal user, by name of the rule', async () => {
    await using folder = await temporaryFolder();
    const home = path.join(folder.path, '.catena');
    await mkdir(home, { mode: 0o711 });
    const intruder = await runPlatformProcess({
      home,
      user: 'nobody',
      programs: path.join(folder.path, 'bin'),
    });
    expect(intruder.answer).toMatchObject({ error: { code: 'embedded.home-not-usable' } });
  });
});
