import { existsSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { startTestNats, startTestPostgres } from './index.ts';
import { rowsOf } from './rows-of.ts';

describe('throw-away servers', () => {
  it('brings a killed nats-server back on its port and deletes its folder at the end', async () => {
    const nats = await startTestNats();
    const first = nats.pid;
    await nats.kill9();
    await nats.restart();
    expect(nats.pid).not.toBe(first);
    const monitor = (await (await fetch(new URL('/jsz', nats.monitorUrl))).json()) as {
      config: { sync_interval: number; sync_always?: boolean };
    };
    expect(monitor.config.sync_always).toBe(true);
    await nats.close();
    expect(existsSync(nats.folder)).toBe(false);
  });

  it('keeps what PostgreSQL acknowledged over a kill, and gives out databases of their own', async () => {
    await using postgres = await startTestPostgres({ durable: true });
    const url = await postgres.createDatabase();
    await rowsOf(url, 'create table kept (n int); insert into kept values (7)');
    await postgres.kill9();
    await postgres.restart();
    expect(await rowsOf(url, 'select n from kept')).toEqual([{ n: 7 }]);
    expect(
      await rowsOf(postgres.url, "select current_user as who, current_setting('is_superuser') as super"),
    ).toEqual([{ who: 'catena', super: 'off' }]);
    expect(await rowsOf(postgres.adminUrl, "select current_setting('fsync') as fsync")).toEqual([
      { fsync: 'on' },
    ]);
  });
});
