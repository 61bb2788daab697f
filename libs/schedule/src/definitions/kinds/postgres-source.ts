import { z } from 'zod';
import { fields, flag, oneOf, text, wholeNumber } from '../shape/building-blocks.ts';
import { pathText } from './path-text.ts';
import { referenceOf, type SecretReference } from './repository.ts';
import { sharingFields } from './sharing.ts';
import { secretReference } from './secret-reference.ts';

const PORT = 'a port, 1 to 65535';
const RATE = 'kilobytes per second, 32 to 1048576';

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
      hold: oneOf('slot', 'none').describe(
        'What keeps the log at the server until it is backed up: a replication slot of our own, or only what the server keeps anyway.',
      ),
      unbounded: flag()
        .optional()
        .describe(
          'Accept a slot though the server does not bound what it holds back (max_slot_wal_keep_size). Default false.',
        ),
    })
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
    readonly log?: { readonly hold: 'slot' | 'none'; readonly unbounded: boolean };
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
      ...(log === undefined ? {} : { log: { hold: log.hold, unbounded: log.unbounded ?? false } }),
    },
  };
}
