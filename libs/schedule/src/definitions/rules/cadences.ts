import type { Cadence } from '@catena/events';
import { DAY, HOUR, MINUTE, SECOND } from '../../calendar/cron-calendar.ts';
import { rhythmPeriod } from '../../calendar/rhythm.ts';
import { dataCadences, effectiveCadences, isDependent } from '../../cadence/effective-cadences.ts';
import {
  copyOnlyCadence,
  differentialCadence,
  fullCadence,
  incrementalCadence,
  logCadence,
  rhythmOf,
} from '../kinds/cadence.ts';
import type { DefinitionProblem } from '../problem.ts';
import { foundText } from '../shape/found-text.ts';
import { valueAt, type Candidate, type World } from './world.ts';

const schemas = {
  full: fullCadence,
  differential: differentialCadence,
  incremental: incrementalCadence,
  log: logCadence,
  copyOnly: copyOnlyCadence,
} as const satisfies Record<Cadence, unknown>;
const cadences = Object.keys(schemas) as Cadence[];

interface Findings {
  readonly problems: DefinitionProblem[];
  readonly warnings: DefinitionProblem[];
}

/** Rules 1.2, 3.1: what the cadences of one schedule must be to each other. */
export function cadenceRules({ candidates }: World): Findings {
  const findings: Findings = { problems: [], warnings: [] };
  for (const candidate of candidates) if (candidate.kind === 'Schedule') checkSchedule(candidate, findings);
  return findings;
}

function checkSchedule(candidate: Candidate, { problems, warnings }: Findings): void {
  const { spec } = candidate;
  if (typeof spec !== 'object' || spec === null) return;
  if (cadences.every((name) => valueAt(spec, name) === undefined)) {
    problems.push(
      candidate.place({
        code: 'definition.cadence',
        path: ['spec'],
        at: 'name',
        found: 'no cadence',
        expected: `at least one of ${cadences.join(', ')}`,
      }),
    );
    return;
  }
  const readable = readableCadences(spec);
  problems.push(...logWithoutData(candidate));
  if (readable.differential?.copyOnly) warnings.push(copyOnlyIgnored(candidate));
  // A full that is there but unreadable has its own problem; the lengths say nothing without it.
  if (valueAt(spec, 'full') !== undefined && !readable.full) return;
  problems.push(...longerThanFull(candidate, readable));
}

/** A log chain is begun by a data backup (rule 1.4), so a schedule with a log has one of these as well. */
function logWithoutData(candidate: Candidate): DefinitionProblem[] {
  const { spec } = candidate;
  const hasData = dataCadences.some((name) => valueAt(spec, name) !== undefined);
  if (hasData || valueAt(spec, 'log') === undefined) return [];
  return [
    candidate.place({
      code: 'definition.cadence',
      path: ['spec', 'log'],
      at: 'name',
      found: 'only a log cadence',
      expected: `a ${dataCadences.join(', ')} cadence beside it`,
      remedy: 'Logs are rolled on top of a data backup; write `full: @weekly`, for instance.',
    }),
  ];
}

/** The cadences that are right in themselves. */
function readableCadences(spec: object): Partial<Record<Cadence, { rhythm: string; copyOnly: boolean }>> {
  return Object.fromEntries(
    cadences.flatMap((name) => {
      const parsed = schemas[name].safeParse(valueAt(spec, name));
      if (!parsed.success) return [];
      const given = parsed.data;
      const copyOnly = typeof given === 'object' && 'copyOnly' in given && given.copyOnly === true;
      const cadence = { rhythm: rhythmOf(given), copyOnly };
      return [[name, cadence]];
    }),
  );
}

function longerThanFull(
  candidate: Candidate,
  readable: Partial<Record<Cadence, { rhythm: string }>>,
): DefinitionProblem[] {
  const effective = effectiveCadences(readable);
  const full = effective.find(({ cadence }) => cadence === 'full');
  return effective
    .filter(({ cadence }) => isDependent(cadence))
    .flatMap(({ cadence, rhythm }) => {
      if (full && rhythmPeriod(rhythm) <= rhythmPeriod(full.rhythm)) return [];
      const path = ['spec', cadence];
      const found = `${foundText(rhythm, path)} (up to ${lengthText(rhythmPeriod(rhythm))} apart)`;
      const expected = full
        ? `nothing longer than the full's "${full.rhythm}" (up to ${lengthText(rhythmPeriod(full.rhythm))} apart)`
        : 'a `full` cadence beside it';
      const remedy = full
        ? `Make the ${cadence} more frequent or the full less.`
        : 'None is chosen for a dependent that comes less often than daily; write `full`.';
      return [candidate.place({ code: 'definition.cadence', path, at: 'value', found, expected, remedy })];
    });
}

function copyOnlyIgnored(candidate: Candidate): DefinitionProblem {
  return candidate.place({
    code: 'definition.copy-only',
    path: ['spec', 'differential', 'copyOnly'],
    at: 'value',
    found: 'a copy-only differential',
    expected: 'a copy-only full, or no copyOnly',
    remedy: 'It is ignored: a plain differential is made. For a copy outside the chain write `copyOnly: …`.',
  });
}

function lengthText(milliseconds: number): string {
  const units: [number, string][] = [
    [DAY, 'day'],
    [HOUR, 'hour'],
    [MINUTE, 'minute'],
    [SECOND, 'second'],
  ];
  const [size, unit] = units.find(([length]) => milliseconds % length === 0) ?? [SECOND, 'second'];
  const count = milliseconds / size;
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
