import { z } from 'zod';
import { definitionName } from '@catena/events';
import { fields, flag, wholeNumber } from '../shape/building-blocks.ts';

const RUNS = 'a whole number from 1';

/** How many runs may be at work at once. */
export function runsAtOnce() {
  return wholeNumber(1, RUNS);
}

const POOL = 'the name of a mover pool: lower-case letters, digits and "-", at most 63';

/** The name that movers are given with CATENA_MOVER_POOL. */
export const poolName = z
  .string({ error: POOL })
  .refine((text) => definitionName.safeParse(text).success, { error: POOL })
  .meta({ pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$' });

const SIZE = 'a whole number, or a text such as 20MB or 16MiB';
const RATE = `bytes per second: ${SIZE}`;
const RATE_TEXT = /^([1-9][0-9]*)(B|kB|MB|GB|KiB|MiB|GiB)$/;
const UNIT: Readonly<Record<string, number>> = {
  ...{ B: 1, kB: 1e3, MB: 1e6, GB: 1e9 },
  ...{ KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 },
};

function bytesAs(error: string) {
  return z.union(
    [z.number({ error }).int({ error }).min(1, { error }), z.string({ error }).regex(RATE_TEXT, { error })],
    {
      error,
    },
  );
}

/** How much, in bytes. */
export const byteCount = bytesAs(`bytes: ${SIZE}`);

const byteRate = bytesAs(RATE);

/** Bytes, or bytes per second; undefined for what is neither. */
export function bytesPerSecond(rate: unknown): number | undefined {
  if (typeof rate === 'number') return rate;
  const [, count, unit] = typeof rate === 'string' ? (RATE_TEXT.exec(rate) ?? []) : [];
  const factor = unit === undefined ? undefined : UNIT[unit];
  return factor === undefined ? undefined : Number(count) * factor;
}

/** What a Source and a Repository say about sharing movers and themselves (rule 3.11). */
export const sharingFields = {
  runsAtOnce: runsAtOnce()
    .optional()
    .describe('Most runs at work with it at once; the others wait and say so. Default: as Limits has it.'),
  pool: poolName
    .optional()
    .describe('Which movers work with it: those with this CATENA_MOVER_POOL. Default: default.'),
  limits: fields({
    read: byteRate
      .optional()
      .describe(
        'Bytes per second that a backup reads of the source, a restore or verification of the repository.',
      ),
    write: byteRate
      .optional()
      .describe('Bytes per second that a backup writes to the repository, a restore to its target.'),
    cpu: wholeNumber(1, RUNS)
      .optional()
      .describe(
        'Cores: threads on which a run reads, hashes, compresses and encrypts, and the reverse. Default: all.',
      ),
    restores: flag()
      .optional()
      .describe('Whether restores keep to these limits, too. Default: false, nothing slows a restore down.'),
  })
    .optional()
    .describe(
      'How hard a backup or verification may work, and a restore if they say so. Of what a Source and a Repository say the lower one counts.',
    ),
};
