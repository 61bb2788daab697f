/** Tables that go to a server of another major version, over TLS, as a role that is no superuser. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { startProtectedCluster, type ProtectedCluster } from '../testing/protected-cluster.ts';
import { otherMajors } from '../testing/servers-to-try.ts';
import { LivingBank } from './testing/living-bank.ts';

const atLength = process.env['CATENA_TEST_LONG'] === '1';
const targets = atLength ? otherMajors().filter(({ major }) => major === 13 || major === 15) : [];
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const CLERK = { user: 'clerk', password: 'only-for-this-test' };

if (!hasOpenssl || targets.length === 0)
  describe('tables that go to another server', () => {
    it('are tested at length, where there is openssl and the other server', () =>
      expect(hasOpenssl && targets.length > 0).toBe(false));
  });
else
  describe.each(targets)('tables that go from PostgreSQL 18 to $major', ({ major, bin }) => {
    let bank: LivingBank;
    let other: ProtectedCluster;
    let certificate: string;

    beforeAll(async () => {
      bank = await LivingBank.start({ major: 18, bin: undefined });
      other = await startProtectedCluster({ major, bin });
      await other.sql(`CREATE ROLE ${CLERK.user} LOGIN PASSWORD '${CLERK.password}'`);
      await other.sql(`GRANT CREATE ON DATABASE catena TO ${CLERK.user}`);
      await other.sql(`GRANT CREATE ON SCHEMA public TO ${CLERK.user}`);
      process.env['TEST_CLERK_PASSWORD'] = CLERK.password;
      certificate = await turnTlsOn();
    });
    afterAll(async () => {
      await bank[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
    });

    async function turnTlsOn(): Promise<string> {
      const { dataDir } = other.server;
      const [key, made] = ['server.key', 'server.crt'].map((name) => path.join(dataDir, name));
      if (key === undefined || made === undefined) throw new Error('two names');
      const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
      execFileSync(
        'openssl',
        [
          ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...names],
          ...['-keyout', key, '-out', made],
        ],
        { stdio: 'ignore' },
      );
      const { uid, gid } = statSync(dataDir);
      for (const file of [key, made]) chownSync(file, uid, gid);
      await other.sql('ALTER SYSTEM SET ssl = on');
      await other.sql('SELECT pg_reload_conf()');
      return made;
    }

    const into = (mode: 'verify-ca' | 'verify-full', ca: string) => ({
      ...{ host: '127.0.0.1', port: other.server.port, user: CLERK.user, database: 'catena' },
      ...{ tls: { mode, ca }, password: { env: 'TEST_CLERK_PASSWORD' } },
    });

    async function asClerk<T extends object>(text: string): Promise<T[]> {
      const client = new pg.Client({
        ...{ host: '127.0.0.1', port: other.server.port, database: 'catena', ...CLERK },
      });
      await client.connect();
      try {
        return (await client.query<T>(text)).rows;
      } finally {
        await client.end();
      }
    }

    it('come over TLS to whom they are to go to, and belong to who restores', async () => {
      const parts = { owners: false, privileges: false, tables: ['branches', 'parts', '"Odd ""Name"'] };
      const target = into('verify-ca', certificate);
      let restored: Awaited<ReturnType<LivingBank['restore']>> | undefined;
      // Whether the server has taken over its certificate shows when it is asked.
      for (let turn = 0; restored === undefined; turn++)
        restored = await bank.restore({ ...parts, into: target }).catch(async (error: unknown) => {
          if (turn > 50 || !/does not support SSL/.test(String(error))) throw error;
          await sleep(100);
          return undefined;
        });
      expect(restored.tables.map(({ name, rows }) => `${name} ${rows}`)).toEqual([
        'public.Odd "Name 1',
        'public.branches 10',
        'public.parts_high 900',
        'public.parts_low 100',
      ]);
      expect(
        await asClerk<{ owner: string }>(
          `SELECT DISTINCT tableowner AS owner FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'written'`,
        ),
      ).toEqual([{ owner: CLERK.user }]);
      expect(await asClerk('SELECT count(*)::int AS n, min(n), max(n) FROM parts')).toEqual([
        { n: 1000, min: 0, max: 999 },
      ]);
      await expect(asClerk('INSERT INTO branches VALUES (1)')).rejects.toThrow(/branches_pkey/);
    });

    it('do not go to one who is not the one that was meant', async () => {
      const parts = { owners: false, privileges: false, tables: ['branches'], schema: 'then' };
      await expect(bank.restore({ ...parts, into: into('verify-full', certificate) })).rejects.toMatchObject({
        code: 'restore.targetRefused',
      });
    });

    it('that belong to others are refused by name to a role that may not give them away', async () => {
      await other.sql('CREATE ROLE auditor');
      await expect(
        bank.restore({
          ...{ tables: ['branches'], schema: 'owned', privileges: false },
          into: into('verify-ca', certificate),
        }),
      ).rejects.toMatchObject({ code: 'restore.targetRefused', remedy: expect.any(String) });
      expect(await asClerk(`SELECT 1 FROM pg_namespace WHERE nspname = 'owned'`)).toEqual([]);
    });
  });
