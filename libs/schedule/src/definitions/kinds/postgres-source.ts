import { z } from 'zod';
import { fields, flag, mismatch, oneOf, text, wholeNumber } from '../shape/building-blocks.ts';
import { pathText } from './path-text.ts';
import { referenceOf, type SecretReference } from './repository.ts';
import { byteCount, bytesPerSecond, sharingFields } from './sharing.ts';
import { secretReference } from './secret-reference.ts';

const PORT = 'a port, 1 to 65535';
const RATE = 'kilobytes per second, 32 to 1048576';

interface GivenLog {
  readonly hold: 'slot' | 'none' | 'push';
  readonly spool?: string | undefined;
  readonly holdLimit?: number | string | undefined;
  readonly unbounded?: boolean | undefined;
}

function checkHold({ hold, spool, holdLimit, unbounded }: GivenLog, context: z.RefinementCtx): void {
  if (hold === 'push' && spool === undefined)
    mismatch(context, '`spool` beside `hold: push`', { found: 'no `spool`', remedy: 'Name the folder.' });
  if (hold !== 'push' && spool !== undefined)
    mismatch(context, '`spool` only beside `hold: push`', { found: `\`spool\` beside \`hold: ${hold}\`` });
  if (hold !== 'slot' && (holdLimit !== undefined || unbounded !== undefined))
    mismatch(context, '`holdLimit` and `unbounded` only beside `hold: slot`', { found: `\`hold: ${hold}\`` });
}

function logWithDefaults({ hold, spool, holdLimit, unbounded }: GivenLog): PostgresLog {
  if (hold === 'push') return { hold, spool: spool ?? '' };
  const limit = bytesPerSecond(holdLimit);
  return { hold, unbounded: unbounded ?? false, ...(limit === undefined ? {} : { holdLimit: limit }) };
}

/** A Source with `driver: postgres`. */
export const postgresSource = fields({
  driver: z.literal('postgres', { error: 'postgres' }).describe('A PostgreSQL cluster, versions 13 to 18.'),
  postgres: fields({
    host: text('a host name, an address, or the folder of a socket').describe(
      "The server's name or address, or the folder of its Unix socket.",
    ),
    port: wholeNumber(1, PORT).max(65_535, { error: PORT }).optional().describe('Default 5432.'),
    user: text('the name of a role').describe(
      'A role that may log in and replicate; nothing else is needed.',
    ),
    password: secretReference.optional().describe('Absent: the server lets the role in without one.'),
    tls: fields({
      mode: oneOf('disable', 'prefer', 'require', 'verify-ca', 'verify-full')
        .optional()
        .describe('As sslmode of libpq. Default prefer, with `ca` verify-full.'),
      ca: pathText.optional().describe('A PEM file of the authorities that may have signed the certificate.'),
    }).optional(),
    checkpoint: oneOf('fast', 'spread')
      .optional()
      .describe(
        'How the server makes the checkpoint a backup begins with: at once, or spread out. Default fast.',
      ),
    maxRate: wholeNumber(32, RATE)
      .max(1_048_576, { error: RATE })
      .optional()
      .describe('The most the server sends, in kilobytes per second. Absent: no limit.'),
    manifestChecksums: oneOf('sha256', 'none')
      .optional()
      .describe(
        'Whether the server hashes each file, so that what is stored is compared with it. Default sha256.',
      ),
    log: fields({
      hold: oneOf('slot', 'none', 'push').describe(
        'What keeps the log until it is backed up: a replication slot of our own, only what the server keeps anyway, or the server pushes it into a folder.',
      ),
      spool: pathText
        .optional()
        .describe('With `push`: the folder that archive_command pushes the log into (`catena wal push`).'),
      holdLimit: byteCount
        .optional()
        .describe(
          'Of a slot: an alarm is raised before it holds back so much. Default: what max_slot_wal_keep_size allows.',
        ),
      unbounded: flag()
        .optional()
        .describe(
          'Accept a slot though the server does not bound what it holds back (max_slot_wal_keep_size). Default false.',
        ),
    })
      .superRefine(checkHold)
      .optional()
      .describe('For log backups. Absent: only what the server keeps anyway.'),
    damagedPages: oneOf('fail', 'warn')
      .optional()
      .describe(
        'Whether a backup that meets damaged pages fails, or is made with a warning for each. Default fail.',
      ),
  }),
  ...sharingFields,
});

export type TlsMode = 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';

export type PostgresLog =
  | { readonly hold: 'slot' | 'none'; readonly unbounded: boolean; /** Bytes. */ readonly holdLimit?: number }
  /** Absolute. */
  | { readonly hold: 'push'; readonly spool: string };

export interface PostgresSource {
  readonly driver: 'postgres';
  readonly postgres: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password?: SecretReference;
    readonly tls: { readonly mode: TlsMode; /** Absolute. */ readonly ca?: string };
    readonly checkpoint: 'fast' | 'spread';
    /** Kilobytes per second. */
    readonly maxRate?: number;
    readonly manifestChecksums: 'sha256' | 'none';
    readonly damagedPages: 'fail' | 'warn';
    readonly log?: PostgresLog;
  };
}

export function postgresSourceWithDefaults({
  driver,
  postgres,
}: z.infer<typeof postgresSource>): PostgresSource {
  const { host, user, password, tls, maxRate, log } = postgres;
  const ca = tls?.ca;
  return {
    driver,
    postgres: {
      host,
      port: postgres.port ?? 5432,
      user,
      ...(password === undefined ? {} : { password: referenceOf(password) }),
      tls: {
        mode: tls?.mode ?? (ca === undefined ? 'prefer' : 'verify-full'),
        ...(ca === undefined ? {} : { ca }),
      },
      checkpoint: postgres.checkpoint ?? 'fast',
      ...(maxRate === undefined ? {} : { maxRate }),
      manifestChecksums: postgres.manifestChecksums ?? 'sha256',
      damagedPages: postgres.damagedPages ?? 'fail',
      ...(log === undefined ? {} : { log: logWithDefaults(log) }),
    },
  };
}
