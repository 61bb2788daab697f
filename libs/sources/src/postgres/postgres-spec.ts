import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { SourceError } from '../port/source-error.ts';
import type { ServerAddress } from './wire/address.ts';

const secretPlace = z.union([z.strictObject({ env: z.string() }), z.strictObject({ file: z.string() })]);

/** What a Source definition says under `postgres`. */
export const postgresSpec = z.strictObject({
  host: z.string().min(1),
  port: z.number().int().min(1).max(65_535).default(5432),
  user: z.string().min(1),
  password: secretPlace.optional(),
  tls: z
    .strictObject({
      mode: z.enum(['disable', 'prefer', 'require', 'verify-ca', 'verify-full']),
      ca: z.string().optional(),
    })
    .default({ mode: 'prefer' }),
  checkpoint: z.enum(['fast', 'spread']).default('fast'),
  maxRate: z.number().int().min(32).max(1_048_576).optional(),
  manifestChecksums: z.enum(['sha256', 'none']).default('sha256'),
  damagedPages: z.enum(['fail', 'warn']).default('fail'),
  log: z
    .discriminatedUnion('hold', [
      z.strictObject({
        hold: z.enum(['slot', 'none']),
        unbounded: z.boolean().default(false),
        holdLimit: z.number().int().min(1).optional(),
      }),
      z.strictObject({ hold: z.literal('push'), spool: z.string().min(1) }),
    ])
    .optional(),
});
export type PostgresSpec = z.infer<typeof postgresSpec>;

/** Throws `source.specInvalid` with everything that is wrong. */
export function parsePostgresSpec(spec: unknown): PostgresSpec {
  const parsed = postgresSpec.safeParse(spec);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `postgres.${issue.path.join('.')}: ${issue.message}`);
  throw new SourceError('source.specInvalid', `The source is not defined right. ${problems.join('; ')}.`, {
    remedy: 'Correct the Source definition and apply it again.',
    details: { problems },
  });
}

/** Reads the secrets that a spec refers to. */
export async function addressOf(
  spec: PostgresSpec,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<ServerAddress> {
  const { host, port, user, password, tls } = spec;
  return {
    host,
    port,
    user,
    tls: tls.mode,
    ...(password === undefined ? {} : { password: await secretAt(password, environment) }),
    ...(tls.ca === undefined
      ? {}
      : { certificateAuthority: await textOf(tls.ca, 'the certificates of the authorities') }),
  };
}

/** The password at a place; an environment variable that is not set is a refusal. */
export async function secretAt(
  place: z.infer<typeof secretPlace>,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<string> {
  if ('file' in place) return (await textOf(place.file, 'the password')).replace(/\r?\n$/, '');
  const password = environment[place.env];
  if (password !== undefined && password !== '') return password;
  throw new SourceError(
    'source.accessDenied',
    `The environment variable ${place.env}, which holds the password, is not set.`,
    {
      remedy: 'Set it where the mover runs, or name a file.',
      details: { variable: place.env },
    },
  );
}

/** A file of this machine that an address names. */
export async function textOf(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SourceError(
      'source.accessDenied',
      `The file ${file}, which holds ${what}, cannot be read: ${reason}.`,
      {
        remedy: 'Make it readable for the user that the mover runs as, or correct the Source definition.',
        details: { file },
        cause: error,
      },
    );
  }
}
