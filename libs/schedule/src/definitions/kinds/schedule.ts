import { z } from 'zod';
import { definitionName, type Cadence, type LogStream, type RunPriority } from '@catena/events';
import { isTimeZone, timeZoneRemedy } from '../../calendar/time-zone.ts';
import { durationOf } from '../../calendar/duration.ts';
import { isoInstant } from '../../calendar/recurrence.ts';
import { CONTINUOUS } from '../../calendar/rhythm.ts';
import { fields, mismatch, oneOf } from '../shape/building-blocks.ts';
import { calendarFields, calendarWithDefaults, type CalendarLimits } from './calendar.ts';
import {
  copyOnlyCadence,
  differentialCadence,
  fullCadence,
  incrementalCadence,
  logCadence,
  rhythmOf,
} from './cadence.ts';
import { referenceTo } from './metadata.ts';
import { policiesWithDefaults, policyFields, type OverlapPolicy, type Policies } from './policies.ts';
import { retention, type Retention } from './retention.ts';
import { bytesPerSecond } from './sharing.ts';

const timeZone = z.string({ error: 'an IANA time zone' }).superRefine((zone, context) => {
  if (isTimeZone(zone)) return;
  mismatch(context, 'an IANA time zone', { code: 'definition.time-zone', remedy: timeZoneRemedy(zone) });
});

const FIRST_RUN = 'now, scheduled, or an instant such as 2025-03-30T01:30:00Z';
const firstRun = z.string({ error: FIRST_RUN }).superRefine((text, context) => {
  if (text === 'now' || text === 'scheduled' || z.iso.datetime({ offset: true }).safeParse(text).success)
    return;
  mismatch(context, FIRST_RUN, {
    remedy: /^\d{4}-\d\d-\d\d/.test(text)
      ? 'Add the time and its zone: T02:00:00Z or T02:00:00+01:00.'
      : undefined,
  });
});

/** When backups of a source are made into a repository (rules.md section 3). */
export const scheduleSpec = fields({
  source: referenceTo('Source'),
  repository: referenceTo('Repository'),
  timeZone: timeZone.optional().describe('IANA name whose wall clock the cadences follow. Default UTC.'),
  firstRun: firstRun
    .optional()
    .describe('`now`, `scheduled` or an instant. Default: now, unless there is a usable full already.'),
  full: fullCadence.optional().describe('Absent: chosen to fit `incremental`.'),
  differential: differentialCadence.optional().describe('What changed since the last full.'),
  incremental: incrementalCadence.optional().describe('What changed since the last data backup.'),
  log: logCadence
    .optional()
    .describe('The log of the source, since the last log backup; for a source that keeps one.'),
  copyOnly: copyOnlyCadence.optional().describe('Fulls outside the chain, to be taken elsewhere.'),
  ...calendarFields,
  ...policyFields,
  whenNoFull: oneOf('full', 'fail')
    .optional()
    .describe(
      'When a differential or incremental is due and its full is gone: take a full instead, or fail. Default full.',
    ),
  priority: oneOf('low', 'normal', 'high')
    .optional()
    .describe('Who goes first where runs wait for the same place. Default normal.'),
  retention: retention.optional().describe('Checked and stored; nothing expires by it in this version.'),
}).meta({ title: 'Schedule' });

/** A cadence as the scheduler reads it. */
export interface CadenceSpec {
  /** A cron text, a name, or `every 6h` with a phase. */
  readonly rhythm: string;
  /** Only a differential can carry it; it is ignored where the run is planned (rule 1.2). */
  readonly copyOnly: boolean;
  /** Of copy-only: what is taken. */
  readonly type?: 'full' | 'log';
  /** Of a full: composed from what is in the repository, and not read from the source. */
  readonly composed?: boolean;
  /** Of a continuous log: when one log backup ends and the next begins. */
  readonly stream?: LogStream;
  /** For this cadence alone; absent: as the schedule has it. */
  readonly onPreviousRunning?: OverlapPolicy;
}

/** A Schedule's spec with its defaults. */
export interface ScheduleSpec {
  readonly source: string;
  readonly repository: string;
  readonly timeZone: string;
  /** An instant is in the fixed-width form of events. Absent: depends on the collection. */
  readonly firstRun?: string;
  readonly cadences: Readonly<Partial<Record<Cadence, CadenceSpec>>>;
  readonly calendar: CalendarLimits;
  readonly policies: Policies;
  readonly whenNoFull: 'full' | 'fail';
  readonly priority: RunPriority;
  readonly retention?: Retention;
}

export function scheduleWithDefaults(spec: z.infer<typeof scheduleSpec>): ScheduleSpec {
  const { full, differential, incremental, log, copyOnly, firstRun: first, retention: policy } = spec;
  return {
    source: definitionName.parse(spec.source),
    repository: definitionName.parse(spec.repository),
    timeZone: spec.timeZone ?? 'UTC',
    ...(first === undefined ? {} : { firstRun: readFirstRun(first) }),
    cadences: {
      ...cadence('full', full),
      ...cadence('differential', differential),
      ...cadence('incremental', incremental),
      ...cadence('log', log),
      ...cadence('copyOnly', copyOnly),
    },
    calendar: calendarWithDefaults(spec),
    policies: policiesWithDefaults(spec),
    whenNoFull: spec.whenNoFull ?? 'full',
    priority: spec.priority ?? 'normal',
    ...(policy === undefined ? {} : { retention: policy }),
  };
}

function readFirstRun(text: string): string {
  return text === 'now' || text === 'scheduled' ? text : isoInstant(Date.parse(text));
}

type GivenCadence = z.infer<
  typeof fullCadence | typeof differentialCadence | typeof logCadence | typeof copyOnlyCadence
>;

/** The window that is open to a loss, against how many backups there are. */
const SEAL_AFTER_MILLISECONDS = 10_000;
const SEAL_BYTES = 256 * 1024 * 1024;

function streamOf(given: GivenCadence): { stream?: LogStream } {
  if (rhythmOf(given) !== CONTINUOUS) return {};
  const { sealAfter, sealSize } =
    typeof given === 'object' && 'continuous' in given
      ? given
      : { sealAfter: undefined, sealSize: undefined };
  return {
    stream: {
      sealAfter: (sealAfter === undefined ? undefined : durationOf(sealAfter)) ?? SEAL_AFTER_MILLISECONDS,
      sealBytes: bytesPerSecond(sealSize) ?? SEAL_BYTES,
    },
  };
}

function cadence(name: Cadence, given: GivenCadence | undefined): Partial<Record<Cadence, CadenceSpec>> {
  if (given === undefined) return {};
  const rhythm = rhythmOf(given);
  if (typeof given === 'string') return { [name]: { rhythm, copyOnly: false, ...streamOf(given) } };
  const { onPreviousRunning } = given;
  return {
    [name]: {
      rhythm,
      copyOnly: 'copyOnly' in given && given.copyOnly === true,
      ...('type' in given && given.type !== undefined ? { type: given.type } : {}),
      ...streamOf(given),
      ...('method' in given && given.method === 'compose' ? { composed: true } : {}),
      ...(onPreviousRunning === undefined ? {} : { onPreviousRunning: onPreviousRunning as OverlapPolicy }),
    },
  };
}
