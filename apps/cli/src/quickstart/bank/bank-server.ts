/** The PostgreSQL server that the quickstart protects. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  startAnotherPostgres,
  type AnotherPostgres,
  type Platform,
  type PlatformEvent,
} from '@catena/embedded';
import pg from 'pg';

/** The server, its database, and the source and schedule of examples/quickstart/bank. */
export const BANK = 'bank';
const BACKUP_ROLE = 'backup';

/** What `docs/postgres.md` asks of a server; commit times are kept so that what a restore brings back can be proven. */
const SETTINGS = {
  wal_level: 'replica',
  max_wal_senders: '6',
  max_replication_slots: '6',
  max_slot_wal_keep_size: '512MB',
  summarize_wal: 'on',
  track_commit_timestamp: 'on',
};

/** Starts the bank's server with a role that may replicate and nothing else, whose password is in the file that the source names. */
export async function startBankServer(
  platform: Platform,
  onEvent: (event: PlatformEvent) => void,
): Promise<AnotherPostgres> {
  const server = await startAnotherPostgres(platform, {
    name: BANK,
    settings: SETTINGS,
    initdb: ['--data-checksums', '--wal-segsize=4'],
    hostRules: [`host replication ${BACKUP_ROLE} 127.0.0.1/32 scram-sha-256`],
    onEvent,
  });
  const password = passwordIn(path.join(platform.layout.secrets, `${BANK}-${BACKUP_ROLE}.password`));
  const client = new pg.Client({ connectionString: server.adminUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [BACKUP_ROLE]);
    if (rowCount === 0) await client.query(`CREATE ROLE ${BACKUP_ROLE} LOGIN REPLICATION`);
    await client.query(`ALTER ROLE ${BACKUP_ROLE} PASSWORD ${client.escapeLiteral(password)}`);
  } finally {
    await client.end();
  }
  return server;
}

function passwordIn(file: string): string {
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  const password = randomBytes(18).toString('base64url');
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  return password;
}
