import {
  cadence as cadences,
  type DefinitionKind,
  type DefinitionView,
  type ScheduleView,
} from '@catena/events';
import {
  readLimitsSpec,
  readRepositorySpec,
  readScheduleSpec,
  readSourceSpec,
  readSubscriptionSpec,
  sourcePlaceOf,
  type SubscriptionSpec,
} from '@catena/schedule';
import { formatInstant } from './quantities.ts';
import { formatTable } from './table.ts';

/** Definitions of one kind, each with what a person wants to know of that kind. */
export function definitionTable(
  kind: DefinitionKind,
  items: readonly DefinitionView[],
  states: readonly ScheduleView[],
): string {
  switch (kind) {
    case 'Source':
      return formatTable(['NAME', 'DRIVER', 'PATH', 'APPLIED', 'LABELS'], items.map(sourceRow));
    case 'Repository':
      return formatTable(
        ['NAME', 'STORE', 'PATH', 'ACCESS', 'ENCRYPTED', 'APPLIED', 'LABELS'],
        items.map(repositoryRow),
      );
    case 'Schedule': {
      const byUid = new Map(states.map((state) => [state.uid, state]));
      return formatTable(
        ['NAME', 'SOURCE', 'REPOSITORY', 'CADENCES', 'TIME ZONE', 'STATE', 'LAST FIRED', 'NOTE'],
        items.map((item) => scheduleRow(item, byUid.get(item.uid))),
      );
    }
    case 'Subscription':
      return formatTable(
        ['NAME', 'EVENTS', 'SOURCES', 'TO', 'APPLIED', 'LABELS'],
        items.map(subscriptionRow),
      );
    case 'Limits':
      return formatTable(
        ['NAME', 'RUNS AT ONCE', 'PER SOURCE', 'PER REPOSITORY', 'POOLS', 'APPLIED', 'LABELS'],
        items.map(limitsRow),
      );
  }
}

function sourceRow({ name, spec, appliedAt, labels }: DefinitionView): string[] {
  const source = readSourceSpec(spec);
  return [name, source.driver, sourcePlaceOf(source), formatInstant(appliedAt), labelText(labels)];
}

function repositoryRow({ name, spec, appliedAt, labels }: DefinitionView): string[] {
  const { store, fs, access, keys } = readRepositorySpec(spec);
  return [
    name,
    store,
    fs.path,
    access,
    keys.length > 0 ? 'yes' : 'NO',
    formatInstant(appliedAt),
    labelText(labels),
  ];
}

function scheduleRow({ name, spec }: DefinitionView, state: ScheduleView | undefined): string[] {
  const { source, repository, timeZone } = readScheduleSpec(spec);
  return [
    name,
    source,
    repository,
    cadences.options
      .flatMap((cadence) => (spec[cadence] === undefined ? [] : [`${cadence} ${rhythmText(spec[cadence])}`]))
      .join(', '),
    timeZone,
    state?.paused ? 'paused' : 'active',
    formatInstant(newest(Object.values(state?.lastFired ?? {}))),
    state?.pauseReason ?? state?.lastSkip ?? '',
  ];
}

/** As the person wrote it: a text, or the map's own way to say when. */
function rhythmText(given: unknown): string {
  if (typeof given === 'string') return given;
  const { cron, every, continuous } = given as { cron?: string; every?: string; continuous?: boolean };
  if (continuous === true) return 'continuous';
  return cron ?? `every ${every}`;
}

function subscriptionRow({ name, spec, appliedAt, labels }: DefinitionView): string[] {
  const subscription = readSubscriptionSpec(spec);
  return [
    name,
    subscription.events.join(', '),
    subscription.sources?.join(', ') ?? 'all',
    receiverText(subscription),
    formatInstant(appliedAt),
    labelText(labels),
  ];
}

function limitsRow({ name, spec, appliedAt, labels }: DefinitionView): string[] {
  const { runsAtOnce, perSource, perRepository, pools = {} } = readLimitsSpec(spec);
  const numbers = [runsAtOnce, perSource, perRepository].map((most) => String(most ?? 'no limit'));
  const inPools = Object.entries(pools).map(([pool, most]) => `${pool}=${most}`);
  return [name, ...numbers, inPools.join(','), formatInstant(appliedAt), labelText(labels)];
}

function receiverText({ to }: SubscriptionSpec): string {
  return 'webhook' in to ? to.webhook.url : to.command.join(' ');
}

function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

/** Instants have a fixed width, so text order is time order. */
function newest(instants: readonly string[]): string | undefined {
  return [...instants].sort().at(-1);
}
