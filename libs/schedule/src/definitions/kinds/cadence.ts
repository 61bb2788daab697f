import { z } from 'zod';
import { durationOf } from '../../calendar/duration.ts';
import { CONTINUOUS, rhythmProblems } from '../../calendar/rhythm.ts';
import { fields, flag, mismatch, oneOf } from '../shape/building-blocks.ts';
import { duration } from './duration.ts';
import { anyOverlap, strictOverlap } from './policies.ts';
import { byteCount } from './sharing.ts';

const FORMS =
  'a cron text such as "0 2 * * *", a name such as "@daily", "every 6h", or a map with cron or every';

const rhythmText = (expected: string, forms: string) =>
  z
    .string({ error: expected })
    .superRefine((given, context) => {
      for (const problem of rhythmProblems(given)) {
        const { offset, found, expected: wanted, remedy } = problem;
        mismatch(context, wanted, { code: 'definition.cron', offset, found, remedy });
      }
    })
    .describe(forms);

const rhythm = rhythmText(
  FORMS,
  'Five cron fields, six with seconds first, @hourly, @daily, @weekly, @monthly, @yearly, or `every 6h`.',
);
const LOG_FORMS = `${CONTINUOUS}, or ${FORMS}`;
const logRhythm = z.union([z.literal(CONTINUOUS), rhythm], { error: LOG_FORMS });
const cron = rhythmText(
  'a cron text such as "0 2 * * *", or a name such as "@daily"',
  'Five cron fields, six with seconds first, or a name such as @daily.',
);

const neverCopyOnly = (remedy: string) =>
  z
    .boolean({ error: 'true or false' })
    .superRefine((copyOnly, context) => {
      if (copyOnly) mismatch(context, 'no copyOnly', { code: 'definition.copy-only', remedy });
    })
    .optional()
    .meta({ const: false, deprecated: true });

/** What a map says about time. */
interface RhythmFields {
  readonly continuous?: boolean | undefined;
  readonly cron?: string | undefined;
  readonly every?: string | undefined;
  readonly phase?: string | undefined;
}

const timing = {
  cron: cron.optional(),
  every: duration.optional().describe('A fixed distance instead of a cron text, counted in real time.'),
  phase: duration
    .optional()
    .describe('Moves the times of `every`, which otherwise are its whole multiples in UTC.'),
};

/** One rhythm: a text, a name, or a map for options of its own. A new option is a field here. */
function cadenceOf<S extends z.ZodRawShape>(options: S) {
  return z.union([rhythm, mapOf(options)], { error: FORMS });
}

function mapOf<S extends z.ZodRawShape>(options: S) {
  return fields({ ...timing, ...options }).superRefine((value, context) => {
    if (context.issues.length > 0) return;
    checkTiming(value as RhythmFields, context);
  });
}

function checkTiming(value: RhythmFields, context: z.RefinementCtx): void {
  const { cron: given, every, phase } = value;
  if (value.continuous === true) return checkContinuous(value, context);
  if ((given === undefined) === (every === undefined)) {
    const found = given === undefined ? 'neither' : 'both';
    mismatch(context, 'either `cron` or `every`', { code: 'definition.cron', found });
  } else if (phase !== undefined && every === undefined) {
    mismatch(context, '`every` beside `phase`', {
      code: 'definition.cron',
      found: '`phase` without `every`',
      remedy: 'A cron text names its times itself; take `phase` out.',
    });
  } else if (
    phase !== undefined &&
    every !== undefined &&
    (durationOf(phase) ?? 0) >= (durationOf(every) ?? 0)
  ) {
    mismatch(context, `a phase shorter than ${every}`, {
      code: 'definition.cron',
      found: `the phase "${phase}"`,
    });
  }
}

function checkContinuous({ cron: given, every, phase }: RhythmFields, context: z.RefinementCtx): void {
  const beside = Object.entries({ cron: given, every, phase }).find(([, text]) => text !== undefined);
  if (beside === undefined) return;
  mismatch(context, 'no rhythm beside `continuous`', {
    code: 'definition.cron',
    found: `\`${beside[0]}\``,
    remedy: 'A continuous log is streamed all the time; how often it is sealed says `sealAfter`.',
  });
}

/** The rhythm that a given cadence stands for, as one text. */
export function rhythmOf(given: string | RhythmFields): string {
  if (typeof given === 'string') return given.trim();
  const { cron: text, every, phase } = given;
  if (given.continuous === true) return CONTINUOUS;
  if (every === undefined) return (text ?? '').trim();
  return `every ${every}${phase === undefined ? '' : ` phase ${phase}`}`;
}

const own = 'For this cadence alone.';

export const fullCadence = cadenceOf({
  method: oneOf('read', 'compose')
    .optional()
    .describe(
      '`read` from the source, the default; or `compose` from what is in the repository, without reading the source. The first one is read.',
    ),
  onPreviousRunning: strictOverlap.optional().describe(own),
  copyOnly: neverCopyOnly('Write the rhythm as `copyOnly: …` beside a conventional `full: …`.'),
});

export const differentialCadence = cadenceOf({
  onPreviousRunning: strictOverlap.optional().describe(own),
  copyOnly: flag()
    .optional()
    .describe('Accepted and ignored, with a warning: a differential cannot be copy-only.'),
});

export const incrementalCadence = cadenceOf({
  onPreviousRunning: strictOverlap.optional().describe(own),
  copyOnly: neverCopyOnly('A copy-only incremental does not exist; use a copy-only full: `copyOnly: …`.'),
});

const logMap = mapOf({
  continuous: flag()
    .optional()
    .describe('Instead of a rhythm: the log is streamed all the time, one log backup after the other.'),
  sealAfter: duration
    .optional()
    .describe('Of a continuous log: a log backup is ended so long after its first byte. Default 10s.'),
  sealSize: byteCount
    .optional()
    .describe('Of a continuous log: a log backup that holds so much is ended before. Default 256MiB.'),
  onPreviousRunning: strictOverlap.optional().describe(own),
  copyOnly: neverCopyOnly('Write `copyOnly: {cron: …, type: log}` beside a conventional `log: …`.'),
});

export const logCadence = z.union([logRhythm, logMap], { error: LOG_FORMS });

export const copyOnlyCadence = cadenceOf({
  onPreviousRunning: anyOverlap.optional().describe(own),
  type: z
    .enum(['full', 'log'], { error: 'full or log' })
    .optional()
    .describe(
      'What is taken apart from the chain: a full, or the log since the last regular log. Default full.',
    ),
});
