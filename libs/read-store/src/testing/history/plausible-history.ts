import {
  commandedRunId,
  definitionId,
  digestId,
  domainEvent,
  scheduledRunId,
  type AnyDomainEvent,
  type AnyRecordedEvent,
  type Cadence,
  type RunRequest,
} from '@catena/events';
import { Recorder } from './recorder.ts';
import { RunStory } from './run-story.ts';
import { SeededRandom } from './seeded-random.ts';
import { specOf, World, type KnownDefinition, type KnownSchedule } from './world.ts';

/** Most runs that are under way at a time, for each schedule. */
const RUNS_AT_A_TIME = 2;
const CADENCES = [
  'incremental',
  'incremental',
  'incremental',
  'incremental',
  'differential',
  'full',
] as const;

/**
 * A history as the services could have written it, always the same for a seed: definitions that change and go, schedules
 * that fire, skip and pause, runs that succeed, fail, are retried, refused and cancelled, chains that grow, are damaged,
 * lost and found. Sequences begin at 1. Made as it is read, in bounded memory, so it may be as long as one likes.
 * @param events how many; the history stops there, in the middle of whatever is going on
 */
export function* plausibleHistory(seed: number, events: number): Generator<AnyRecordedEvent, void, void> {
  let left = events;
  for (const appended of appends(seed, events)) {
    for (const event of appended) {
      if (left-- === 0) return;
      yield event;
    }
  }
}

function* appends(seed: number, events: number): Generator<readonly AnyRecordedEvent[], never, void> {
  const random = new SeededRandom(seed);
  const recorder = new Recorder(random);
  const world = new World(seed, random, Math.min(200, Math.max(3, Math.floor(events / 5_000))));
  const running: RunStory[] = [];
  for (const definition of world.definitions) {
    yield recorder.append([applied(definition)], 'scheduler:one', definition.name);
  }
  for (const { name, snapshot } of world.definitions.filter(({ kind }) => kind === 'Repository')) {
    yield recorder.append(keyGenerated(name, snapshot.uid), 'chain-catalog:one', name);
  }
  for (let step = 1; ; step++) {
    const schedule = random.pick(world.schedules);
    if (schedule === undefined) throw new Error('A history needs a schedule.');
    if (running.length > RUNS_AT_A_TIME * world.schedules.length || random.chance(0.7)) {
      const index = random.between(0, Math.max(0, running.length - 1));
      const story = running[index];
      if (story === undefined) continue;
      const { actor, events: decided } = story.next(recorder);
      if (decided.length > 0) yield recorder.append(decided, actor, story.run);
      if (!story.over) continue;
      running.splice(index, 1);
      recorder.forget('run', story.run);
    } else if (random.chance(0.06)) {
      yield recorder.append(changedDefinition(random, schedule), 'person:ada', `change-${step}`);
    } else if (random.chance(0.15)) {
      const asked = askedByHand(random, world, schedule, `command-${seed}-${step}`);
      if (asked === undefined) continue;
      yield recorder.append(asked.events, 'person:ada', asked.story.run);
      running.push(asked.story);
    } else {
      const { events: decided, story } = dueTime(random, world, schedule, recorder.now);
      yield recorder.append(decided, 'scheduler:one', story?.run ?? schedule.definition.name);
      if (story !== undefined) running.push(story);
    }
  }
}

/** What the scheduler decides about a due time. */
function dueTime(random: SeededRandom, world: World, schedule: KnownSchedule, nominal: string) {
  const { definition, source, repository } = schedule;
  const { uid, name } = definition.snapshot;
  const cadence: Cadence = random.chance(0.04) ? 'copyOnly' : (random.pick(CADENCES) ?? 'full');
  const tick = { schedule: name, cadence, nominal, actual: nominal };
  if (schedule.paused || random.chance(0.08)) {
    const reason = schedule.paused ? 'paused' : 'overlap';
    return { events: [domainEvent('schedule.skipped', uid, { ...tick, reason })], story: undefined };
  }
  const run = scheduledRunId(uid, cadence, nominal);
  const request: RunRequest = {
    ...{ kind: 'backup', source: source.name, repository: repository.name },
    ...{ type: cadence === 'copyOnly' ? 'full' : cadence, copyOnly: cadence === 'copyOnly' },
  };
  const events: AnyDomainEvent[] = [
    domainEvent('schedule.fired', uid, { ...tick, run, reason: 'due' }),
    domainEvent('run.requested', run, { request, schedule: name, scheduleUid: uid, cadence, nominal }),
  ];
  return { events, story: new RunStory(run, request, world.collectionOf(source, repository), random) };
}

/** What a person asks for; undefined when there is nothing yet to ask about. */
function askedByHand(random: SeededRandom, world: World, schedule: KnownSchedule, command: string) {
  const collection = world.collectionOf(schedule.source, schedule.repository);
  const repository = schedule.repository.name;
  const backup = random.pick(collection.backups)?.backup;
  if (backup === undefined) return undefined;
  const requests: RunRequest[] = [
    { kind: 'restore', repository, backup, target: '/restore/here', include: ['**/*.txt'], overwrite: false },
    { kind: 'verify', repository, backup, depth: 'checksums' },
    { kind: 'verify', repository, depth: 'presence' },
    { kind: 'rescan', repository },
    { kind: 'backup', source: schedule.source.name, repository, type: 'full', copyOnly: true },
  ];
  const request = random.pick(requests) ?? { kind: 'rescan', repository };
  const run = commandedRunId(command);
  return {
    events: [domainEvent('run.requested', run, { request })],
    story: new RunStory(run, request, collection, random),
  };
}

/** What a person changes about definitions, schedules and keys. */
function changedDefinition(random: SeededRandom, schedule: KnownSchedule): AnyDomainEvent[] {
  const { definition, repository } = schedule;
  const { uid, name } = definition.snapshot;
  switch (random.between(1, 6)) {
    case 1:
      schedule.paused = !schedule.paused;
      return schedule.paused
        ? [domainEvent('schedule.paused', uid, { schedule: name, reason: 'holidays' })]
        : [domainEvent('schedule.resumed', uid, { schedule: name })];
    case 2:
      return [deleted(definition)];
    case 3:
      return [
        domainEvent('repository.key-exported', repository.snapshot.uid, {
          repository: repository.name,
          keyId: `key-${repository.name}`,
        }),
      ];
    default:
      return [reapplied(definition)];
  }
}

function applied({ kind, name, snapshot }: KnownDefinition): AnyDomainEvent {
  const { uid, generation, spec } = snapshot;
  const labels = { team: 'infra' };
  return domainEvent('definition.applied', definitionId(kind, name), {
    kind,
    name,
    uid,
    generation,
    labels,
    spec,
  });
}

/** Applies it changed; a deleted one is made anew with a uid of its own. */
function reapplied(definition: KnownDefinition): AnyDomainEvent {
  const { kind, name, snapshot, deleted: anew } = definition;
  if (anew) definition.lives++;
  definition.deleted = false;
  definition.snapshot = {
    name,
    uid: anew ? digestId(snapshot.uid, String(definition.lives)) : snapshot.uid,
    generation: anew ? 1 : snapshot.generation + 1,
    spec: { ...specOf(kind, name), change: snapshot.generation },
  };
  return applied(definition);
}

function deleted(definition: KnownDefinition): AnyDomainEvent {
  const { kind, name, snapshot } = definition;
  if (definition.deleted) return reapplied(definition);
  definition.deleted = true;
  return domainEvent('definition.deleted', definitionId(kind, name), { kind, name, uid: snapshot.uid });
}

function keyGenerated(repository: string, uid: string): AnyDomainEvent[] {
  const keyId = `key-${repository}`;
  return [
    domainEvent('repository.initialised', uid, { repository, format: 1, encrypted: true, run: `run-${uid}` }),
    domainEvent('repository.key-generated', uid, {
      repository,
      keyId,
      path: `/etc/catena/${repository}.key`,
    }),
  ];
}
