/**
 * `catena wal push` and `catena wal fetch` as real servers call them: a standby follows its primary by nothing else, is promoted, pushes what
 * it writes then, and another standby follows it onto the new timeline.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, chownSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BackedUpCluster } from '@catena/sources/testing/postgres';
import pg from 'pg';
import { until } from '../platform/operator.ts';
import { atLength } from '../platform/seeded-chance.ts';

const program = fileURLToPath(new URL('../../apps/cli/bin/catena.mjs', import.meta.url));
const catena = `"${process.execPath}" "${program}"`;

let here: BackedUpCluster;
let spool: string;
let owner: { uid: number; gid: number };
const standbys: Standby[] = [];

/** A server on a restored copy, which takes its log from the archive alone. */
class Standby {
  readonly folder: string;
  readonly #sockets: string;
  readonly #process: ChildProcess;

  constructor(folder: string) {
    this.folder = folder;
    this.#sockets = `${folder}.sockets`;
    mkdirSync(this.#sockets, { mode: 0o700 });
    chownSync(this.#sockets, owner.uid, owner.gid);
    rmSync(path.join(folder, 'recovery.signal'));
    this.#write('standby.signal', '');
    this.#write('pg_hba.conf', 'local all all trust\n');
    appendFileSync(
      path.join(folder, 'postgresql.conf'),
      `
restore_command = '${catena} wal fetch %f "%p" --spool "${spool}"'
archive_mode = on
archive_command = '${catena} wal push "%p" --spool "${spool}"'
recovery_target = ''
recovery_target_timeline = 'latest'
hot_standby = on
listen_addresses = ''
unix_socket_directories = '${this.#sockets}'
wal_retrieve_retry_interval = '200ms'
`,
    );
    this.#process = spawn(path.join(here.cluster.server.bin, 'postgres'), ['-D', folder], {
      stdio: 'ignore',
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', HOME: this.#sockets },
      ...owner,
    });
  }

  /** Undefined while it does not take connections, or has not replayed that far. */
  async ask<T extends object>(text: string): Promise<T[] | undefined> {
    const client = new pg.Client({ host: this.#sockets, user: 'postgres', database: 'catena' });
    try {
      await client.connect();
      return (await client.query<T>(text)).rows;
    } catch {
      return undefined;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async shows(numbers: number): Promise<void> {
    await until(`${numbers} rows are there`, async () => {
      const rows = await this.ask<{ count: number }>('SELECT count(*)::int AS count FROM followed');
      return rows?.[0]?.count === numbers;
    });
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGINT');
    await ended;
  }

  #write(name: string, text: string): void {
    const file = path.join(this.folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    chownSync(file, owner.uid, owner.gid);
  }
}

async function follow(name: string): Promise<Standby> {
  const folder = here.at('standbys', name);
  await here.restoreTo(folder, 'full', { run: name });
  const standby = new Standby(folder);
  standbys.push(standby);
  return standby;
}

const pushed = () => readdirSync(spool);

/** Servers call catena as an account of their own when root tests, which a clone in root's home keeps out. */
function othersCanStartIt(): boolean {
  if (process.getuid?.() !== 0) return true;
  const nobody = { uid: 65_534, gid: 65_534 };
  return spawnSync(process.execPath, [program, '--version'], { cwd: '/', ...nobody }).status === 0;
}

const isTested = atLength && othersCanStartIt();

(isTested ? describe : describe.skip)('standbys that follow by catena wal fetch', () => {
  beforeAll(async () => {
    here = await BackedUpCluster.start({ settings: { archive_mode: 'on', archive_command: 'false' } });
    const { uid, gid } = statSync(here.cluster.server.dataDir);
    owner = { uid, gid };
    spool = here.at('spool');
    mkdirSync(spool, { mode: 0o700 });
    mkdirSync(here.at('standbys'), { mode: 0o755 });
    chownSync(spool, uid, gid);
    await here.cluster.sql('CREATE TABLE followed (n int)');
    await here.backup('full', 'full');
  });

  afterAll(async () => {
    for (const one of standbys) await one.stop();
    await here[Symbol.asyncDispose]();
  });

  it('can start catena as the account of the server', () => {
    const { status } = spawnSync(process.execPath, [program, '--version'], owner);
    expect(status).toBe(0);
  });

  it('show what the primary has pushed, are promoted, and others follow them onto the new timeline', async () => {
    const { sql } = here.cluster;
    await sql(`ALTER SYSTEM SET archive_command = '${catena} wal push "%p" --spool "${spool}"'`);
    await sql('SELECT pg_reload_conf()');
    await sql('INSERT INTO followed SELECT generate_series(1, 100)');
    await sql('SELECT pg_switch_wal()');
    const first = await follow('first');
    await first.shows(100);

    await here.cluster.server.stop();
    expect(await first.ask('SELECT pg_promote()')).toBeDefined();
    await first.ask('INSERT INTO followed SELECT generate_series(101, 150)');
    await first.ask('SELECT pg_switch_wal()');
    await until('the new timeline is pushed', () =>
      Promise.resolve(
        pushed().includes('00000002.history') && pushed().some((name) => /^00000002[0-9A-F]{16}$/.test(name)),
      ),
    );

    const second = await follow('second');
    await second.shows(150);
    const [row] = (await second.ask<{ recovers: boolean }>('SELECT pg_is_in_recovery() AS recovers')) ?? [];
    expect(row).toEqual({ recovers: true });
  });
});
