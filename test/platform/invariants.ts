/** What must hold over the whole log, whatever was killed on the way: each function answers the sentences that do not. */
import type { AnyRecordedEvent, EventData, EventType } from '@catena/events';
import { RunHistory } from './run-history.ts';

type Event<T extends EventType> = Extract<AnyRecordedEvent, { type: T }>;
type Planned = EventData<'collection.backup-planned'>;

/** Everything that is wrong with a log; nothing for one that keeps the rules. */
export function violations(events: readonly AnyRecordedEvent[]): string[] {
  return [
    ...sequenceViolations(events),
    ...runViolations(events),
    ...collectionViolations(events),
    ...backupViolations(events),
    ...scheduleViolations(events),
    ...definitionViolations(events),
  ];
}

/** Runs that have begun and have not ended; none is left when a scenario has waited for all of its runs. */
export function openRuns(events: readonly AnyRecordedEvent[]): string[] {
  return [...runsOf(events)].filter(([, history]) => !history.isOver).map(([run]) => run);
}

/** The log has no hole and no event twice. */
function sequenceViolations(events: readonly AnyRecordedEvent[]): string[] {
  const found: string[] = [];
  const ids = new Map<string, number>();
  events.forEach(({ sequence, id, type }, index) => {
    if (sequence !== index + 1) found.push(`event ${index + 1} of the log has the sequence ${sequence}`);
    const before = ids.get(id);
    if (before !== undefined) found.push(`the ${type} at ${sequence} has the id of the event at ${before}`);
    ids.set(id, sequence);
  });
  return found;
}

/** A run is asked for once, planned at most once, claimed by counting attempts, and ends at most once. */
function runViolations(events: readonly AnyRecordedEvent[]): string[] {
  return [...runsOf(events).values()].flatMap(({ problems }) => problems);
}

function runsOf(events: readonly AnyRecordedEvent[]): Map<string, RunHistory> {
  const runs = new Map<string, RunHistory>();
  for (const event of events) {
    if (event.aggregate.type !== 'run') continue;
    const run = event.aggregate.id;
    const history = runs.get(run) ?? new RunHistory(run);
    runs.set(run, history);
    history.add(event);
  }
  return runs;
}

/** No two data plans of a collection are open at once, no parent has two children, positions grow. */
function collectionViolations(events: readonly AnyRecordedEvent[]): string[] {
  const found: string[] = [];
  const collections = new Map<string, CollectionHistory>();
  const rescanned = new Set(
    events.filter(({ type }) => type === 'backup.found').map(({ aggregate }) => aggregate.id),
  );
  for (const event of events) {
    if (event.aggregate.type !== 'collection') continue;
    const { id } = event.aggregate;
    const history = collections.get(id) ?? new CollectionHistory(id, rescanned);
    collections.set(id, history);
    found.push(...history.add(event));
  }
  return found;
}

class CollectionHistory {
  readonly #id: string;
  /** Backups that a rescan brought: nobody planned them. */
  readonly #rescanned: ReadonlySet<string>;
  readonly #open = new Map<string, Planned>();
  readonly #children = new Map<string, string>();
  readonly #completed = new Set<string>();
  readonly #positions = new Map<string, string>();
  #opened = false;
  #position = 0n;

  constructor(id: string, rescanned: ReadonlySet<string>) {
    this.#id = id;
    this.#rescanned = rescanned;
  }

  add(event: AnyRecordedEvent): string[] {
    const says = (problem: string) => [`${this.#id}, event ${event.sequence}: ${problem}`];
    switch (event.type) {
      case 'collection.opened': {
        const again = this.#opened;
        this.#opened = true;
        return again ? says('it was opened before') : [];
      }
      case 'collection.backup-planned':
        return this.#planned(event).flatMap(says);
      case 'collection.backup-completed':
        return this.#done(event).flatMap(says);
      case 'collection.plan-dropped':
        return this.#open.delete(event.data.run) ? [] : says(`${event.data.run} was not planned`);
      case 'collection.backup-unusable':
        // What is damaged is nobody's child any more: the next one is computed from the same parent.
        for (const [parent, child] of this.#children)
          if (child === event.data.backup) this.#children.delete(parent);
        return [];
      default:
        return [];
    }
  }

  #planned({ data }: Event<'collection.backup-planned'>): string[] {
    const found: string[] = [];
    if (!this.#opened) found.push('it is planned in before it was opened');
    const beside = [...this.#open.values()].find((one) => !one.copyOnly);
    if (!data.copyOnly && beside !== undefined)
      found.push(`${data.run} is planned while the data run ${beside.run} is`);
    found.push(...this.#misplaced(data));
    for (const needed of [data.parent, data.base, data.from])
      if (needed !== undefined && !this.#completed.has(needed))
        found.push(`${data.backup} is planned on ${needed}, which is not there`);
    if (data.from === undefined) this.#position = BigInt(data.position);
    this.#open.set(data.run, data);
    return found;
  }

  /** Positions grow; a composed full has that of the backup it shows. */
  #misplaced({ from, position, backup }: Planned): string[] {
    if (from === undefined)
      return BigInt(position) > this.#position
        ? []
        : [`the position ${position} does not come after ${this.#position}`];
    const shown = this.#positions.get(from);
    return shown === position ? [] : [`${backup} shows ${from}, whose position is ${shown}, not ${position}`];
  }

  #done({ data }: Event<'collection.backup-completed'>): string[] {
    this.#positions.set(data.backup, data.position);
    if (this.#rescanned.has(data.backup)) {
      this.#completed.add(data.backup);
      return [];
    }
    const found: string[] = [];
    const planned = this.#open.get(data.run);
    this.#open.delete(data.run);
    if (planned === undefined) return [`${data.backup} was completed without an open plan`];
    for (const field of ['backup', 'type', 'copyOnly', 'parent', 'base', 'chain'] as const)
      if (planned[field] !== data[field])
        found.push(`${data.backup} was planned with another ${field} than it has`);
    if (this.#completed.has(data.backup)) found.push(`${data.backup} was completed before`);
    this.#completed.add(data.backup);
    if (data.parent === undefined) return found;
    const sibling = this.#children.get(data.parent);
    if (sibling !== undefined) found.push(`${data.parent} is the parent of ${data.backup} and of ${sibling}`);
    this.#children.set(data.parent, data.backup);
    return found;
  }
}

/** A backup is there for the log exactly when its run has completed and its collection has it: all in one append. */
function backupViolations(events: readonly AnyRecordedEvent[]): string[] {
  const found: string[] = [];
  const runs = new Map<string, Event<'run.completed'>>();
  const collected = new Map<string, Event<'collection.backup-completed'>>();
  const backups = new Map<string, Event<'backup.completed'>>();
  const rescanned = new Set(
    events.filter(({ type }) => type === 'backup.found').map(({ aggregate }) => aggregate.id),
  );
  for (const event of events) {
    if (event.type === 'run.completed' && event.data.backup !== undefined) runs.set(event.data.backup, event);
    if (event.type === 'collection.backup-completed') collected.set(event.data.backup, event);
    if (event.type !== 'backup.completed') continue;
    const { id } = event.aggregate;
    if (backups.has(id))
      found.push(`${id} was completed twice, at ${backups.get(id)?.sequence} and ${event.sequence}`);
    backups.set(id, event);
  }
  for (const id of new Set([...runs.keys(), ...collected.keys(), ...backups.keys()])) {
    if (rescanned.has(id)) continue;
    const together = [runs.get(id), collected.get(id), backups.get(id)];
    const sequences = together.flatMap((event) => (event === undefined ? [] : [event.sequence]));
    if (sequences.length < 3)
      found.push(`${id} is half there: ${together.map((event) => event?.type ?? '—').join(', ')}`);
    else if (Math.max(...sequences) - Math.min(...sequences) > 5)
      found.push(`${id} became known in pieces, at ${sequences.join(', ')}`);
  }
  return found;
}

/** Each due time fires once, and each firing is one run. */
function scheduleViolations(events: readonly AnyRecordedEvent[]): string[] {
  const found: string[] = [];
  const due = new Map<string, number>();
  const fired = new Map<string, number>();
  const requested = new Set<string>();
  for (const event of events) {
    if (event.type === 'run.requested' && event.data.schedule !== undefined)
      requested.add(event.aggregate.id);
    if (event.type !== 'schedule.fired') continue;
    const { cadence, nominal, reason, run } = event.data;
    if (fired.has(run)) found.push(`${run} was fired twice, at ${fired.get(run)} and ${event.sequence}`);
    fired.set(run, event.sequence);
    if (reason === 'runNow') continue;
    const key = `${event.aggregate.id} ${cadence} ${nominal}`;
    if (due.has(key)) found.push(`${key} fired twice, at ${due.get(key)} and ${event.sequence}`);
    due.set(key, event.sequence);
  }
  for (const run of new Set([...fired.keys(), ...requested]))
    if (!fired.has(run) || !requested.has(run)) found.push(`${run} was fired or requested, not both`);
  return found;
}

/** Generations of a definition count from one, stay for new labels alone, and start again only after it was deleted. */
function definitionViolations(events: readonly AnyRecordedEvent[]): string[] {
  const found: string[] = [];
  const generations = new Map<string, number>();
  for (const event of events) {
    const { id } = event.aggregate;
    if (event.type === 'definition.deleted') generations.delete(id);
    if (event.type !== 'definition.applied') continue;
    const { generation } = event.data;
    const before = generations.get(id);
    if (generation !== (before ?? 0) + 1 && generation !== before)
      found.push(`${id} has generation ${generation} at ${event.sequence} after ${before ?? 'none'}`);
    generations.set(id, generation);
  }
  return found;
}
