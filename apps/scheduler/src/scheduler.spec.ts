import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  collectionIdOf,
  commandedRunId,
  domainEvent,
  errorFromDescription,
  freshId,
  reply,
  requestSubject,
  schedulerRequests,
  type AnyRecordedEvent,
  type RequestContract,
} from '@catena/events';
import { EMPTY_HEAD } from '@catena/event-log';
import { appendDecided, Service, type Clock } from '@catena/service';
import { eventually, memoryPorts, testPlatform, type SharedPorts } from '@catena/service/testing';
import type { z } from 'zod';
import { schedulerModules } from './scheduler-modules.ts';
import { Ticker } from './tick/ticker.ts';

const START = Date.parse('2026-11-02T10:00:00.000Z');
const HOUR = 3_600_000;

const SOURCE =
  'apiVersion: catena/v1\nkind: Source\nmetadata: {name: docs}\nspec: {driver: files, files: {path: /docs}}';
const REPOSITORY =
  'apiVersion: catena/v1\nkind: Repository\nmetadata: {name: vault}\nspec: {store: fs, fs: {path: /vault}}';
const schedule = (cadences: string, name = 'often') =>
  `apiVersion: catena/v1\nkind: Schedule\nmetadata: {name: ${name}}\nspec: {source: docs, repository: vault, ${cadences}}`;

describe('two schedulers on one log', () => {
  let now: number;
  /** By how much the second one's clock is ahead. */
  let ahead: number;
  let ports: SharedPorts;
  let services: Service[];

  beforeEach(async () => {
    now = START;
    ports = memoryPorts();
    ahead = 0;
    services = [];
    for (const instance of ['s1', 's2']) {
      const clock: Clock = { now: () => now + (instance === 's2' ? ahead : 0) };
      services.push(
        await Service.start(testPlatform('scheduler', instance, ports, clock), { modules: schedulerModules }),
      );
    }
  });
  afterEach(async () => {
    for (const service of services) await service.stop();
  });

  async function ask<I extends z.ZodType, O extends z.ZodType>(
    contract: RequestContract<I, O>,
    input: object,
  ): Promise<z.output<O>> {
    const command = { commandId: freshId(), actor: 'person:tester', ...input };
    const answer = reply.parse(await ports.messages.ask(requestSubject(contract), command));
    if (!answer.ok) throw errorFromDescription({ ...answer.error });
    return contract.output.parse(answer.result);
  }

  const apply = (...documents: string[]) =>
    ask(schedulerRequests.applyDefinitions, {
      files: [{ name: 'test.yaml', text: documents.join('\n---\n') }],
    });

  async function events(type?: AnyRecordedEvent['type']): Promise<AnyRecordedEvent[]> {
    const found: AnyRecordedEvent[] = [];
    for await (const event of ports.eventLog.read())
      if (type === undefined || event.type === type) found.push(event);
    return found;
  }

  /** Both look at once, as their timers would. */
  const tick = () => Promise.all(services.map((service) => service.get(Ticker).tick()));

  /** The catalog's part: a full is there. */
  async function completeFull(): Promise<void> {
    const [source, repository] = await events('definition.applied');
    const uidOf = (event: AnyRecordedEvent | undefined) => (event?.data as { uid: string }).uid;
    const collection = collectionIdOf(uidOf(source), uidOf(repository));
    await appendDecided(
      ports.eventLog,
      [
        domainEvent('collection.backup-completed', collection, {
          run: 'run-1',
          backup: 'b1',
          type: 'full',
          copyOnly: false,
          chain: 'b1',
          position: '1',
          family: 'f',
          asOf: '2026-11-02T10:00:00.000Z',
          closure: [],
        }),
      ],
      [{ aggregate: { type: 'collection', id: collection }, head: EMPTY_HEAD }],
      { time: '2026-11-02T10:00:01.000Z', actor: 'chain-catalog:c', correlationId: 'r', causationId: 'r' },
    );
  }

  /** The mover's and the catalog's part: what was asked for is done. */
  async function completeRuns(): Promise<void> {
    const over = new Set((await events('run.completed')).map(({ aggregate }) => aggregate.id));
    for (const { aggregate, sequence, hash } of await events('run.requested')) {
      if (over.has(aggregate.id)) continue;
      const statistics = { files: 1, bytes: 1, bytesRead: 1, bytesAdded: 1, milliseconds: 1 };
      const done = {
        attempt: 1,
        mover: 'm',
        outcome: 'completed' as const,
        warnings: [],
        warningCount: 0,
        statistics,
      };
      await appendDecided(
        ports.eventLog,
        [domainEvent('run.completed', aggregate.id, done)],
        [{ aggregate, head: { sequence, hash } }],
        {
          time: '2026-11-02T10:00:01.000Z',
          actor: 'chain-catalog:c',
          correlationId: 'r',
          causationId: aggregate.id,
        },
      );
    }
  }

  it('fire each due time once, with its run, in one append', async () => {
    await apply(SOURCE, REPOSITORY, schedule('firstRun: scheduled, full: "@hourly"'));
    for (let hour = 1; hour <= 5; hour += 1) {
      now = START + hour * HOUR + 5;
      await tick();
      await completeRuns();
    }
    const fired = await events('schedule.fired');
    expect(fired.map(({ data }) => (data as { nominal: string }).nominal)).toEqual([
      '2026-11-02T11:00:00.000Z',
      '2026-11-02T12:00:00.000Z',
      '2026-11-02T13:00:00.000Z',
      '2026-11-02T14:00:00.000Z',
      '2026-11-02T15:00:00.000Z',
    ]);
    const requested = await events('run.requested');
    expect(requested.map(({ aggregate }) => aggregate.id)).toEqual(
      fired.map(({ data }) => (data as { run: string }).run),
    );
    expect(requested.map(({ correlationId, aggregate }) => correlationId === aggregate.id)).toEqual(
      requested.map(() => true),
    );
    for (const { actor } of fired) expect(['scheduler:s1', 'scheduler:s2']).toContain(actor);
  });

  it('fire nothing twice when the clock goes back', async () => {
    await apply(SOURCE, REPOSITORY, schedule('firstRun: scheduled, full: "@hourly"'));
    now = START + HOUR;
    await tick();
    now = START;
    await tick();
    now = START + HOUR;
    await tick();
    expect(await events('schedule.fired')).toHaveLength(1);
  });

  it('F44: a due time waits while the run before it is not over, and runs when it is', async () => {
    await apply(SOURCE, REPOSITORY, schedule('firstRun: scheduled, full: "@hourly"'));
    for (const hour of [1, 2, 3]) {
      now = START + hour * HOUR;
      await tick();
    }
    expect(await events('schedule.fired')).toHaveLength(1);
    const [first] = await events('run.requested');
    expect((await events('schedule.delayed')).map(({ data }) => data)).toMatchObject([
      { nominal: '2026-11-02T12:00:00.000Z', reason: 'overlap', by: first?.aggregate.id },
    ]);
    expect((await events('schedule.skipped')).map(({ data }) => data)).toMatchObject([
      { nominal: '2026-11-02T13:00:00.000Z', reason: 'overlap', by: first?.aggregate.id },
    ]);
    await completeRuns();
    await eventually('the run that waited', async () => {
      await tick();
      return (await events('schedule.fired')).length === 2;
    });
    expect((await events('schedule.fired')).at(-1)?.data).toMatchObject({
      nominal: '2026-11-02T12:00:00.000Z',
    });
  });

  it('issue 6.7: clocks minutes apart fire every due time once', async () => {
    ahead = 7 * 60_000;
    await apply(SOURCE, REPOSITORY, schedule('firstRun: scheduled, full: "*/10 * * * *"'));
    for (let minute = 1; minute <= 60; minute += 1) {
      now = START + minute * 60_000;
      await tick();
      await completeRuns();
    }
    const fired = (await events('schedule.fired')).map(({ data }) => (data as { nominal: string }).nominal);
    const expected = [1, 2, 3, 4, 5, 6].map((turn) => new Date(START + turn * 600_000).toISOString());
    expect(fired).toEqual(expected);
    expect(await events('schedule.skipped')).toEqual([]);
  });

  it('issue 6.7: a scheduler that starts later knows from the log what was fired', async () => {
    await apply(SOURCE, REPOSITORY, schedule('firstRun: scheduled, full: "@hourly"'));
    now = START + HOUR;
    await tick();
    for (const service of services.splice(0)) await service.stop();
    services.push(
      await Service.start(testPlatform('scheduler', 's3', ports, { now: () => now }), {
        modules: schedulerModules,
      }),
    );
    await tick();
    expect(await events('schedule.fired')).toHaveLength(1);
  });

  it('issue 6.7: a clock that leaps forward catches up once, one that goes back fires nothing twice', async () => {
    await apply(SOURCE, REPOSITORY, schedule('firstRun: scheduled, full: "@hourly"'));
    now = START + 365 * 24 * HOUR;
    await tick();
    await completeRuns();
    now = START + 2 * HOUR;
    await tick();
    expect((await events('schedule.fired')).map(({ data }) => data)).toMatchObject([
      { nominal: '2027-11-02T10:00:00.000Z', reason: 'catchUp' },
    ]);
    expect((await events('schedule.skipped')).map(({ data }) => data)).toMatchObject([
      { reason: 'missed', missed: 365 * 24 - 1 },
    ]);
  });

  it('take the first full at once, without anybody waking them, and let dependents wait for it', async () => {
    await apply(SOURCE, REPOSITORY, schedule('full: "@weekly", incremental: "@hourly"'));
    const [first] = await eventually('the first full', async () => {
      const fired = await events('schedule.fired');
      return fired.length > 0 && fired;
    });
    expect(first?.data).toMatchObject({ cadence: 'full', reason: 'firstRun' });
    now = START + HOUR;
    await tick();
    expect((await events('schedule.skipped')).map(({ data }) => data)).toMatchObject([
      { cadence: 'incremental', reason: 'waitingForFull' },
    ]);
    await completeFull();
    await completeRuns();
    now = START + 2 * HOUR;
    await eventually('the incremental', async () => {
      await tick();
      return (await events('schedule.fired')).length === 2;
    });
    expect((await events('schedule.fired')).at(-1)?.data).toMatchObject({
      cadence: 'incremental',
      reason: 'due',
    });
  });

  it('apply a file whole or not at all, and the same file again changes nothing', async () => {
    const wrong = schedule('full: "61 * * * *"').replace('source: docs', 'source: nothing');
    const refused = apply(SOURCE, REPOSITORY, wrong);
    await expect(refused).rejects.toMatchObject({ code: 'definition.refused' });
    await expect(refused).rejects.toThrow(/nothing[\s\S]*61/);
    expect(await events()).toEqual([]);

    const file = [SOURCE, REPOSITORY, schedule('firstRun: scheduled, full: "@weekly"')];
    const { results, sequence } = await apply(...file);
    expect(results.map(({ action }) => action)).toEqual(['created', 'created', 'created']);
    const again = await apply(...file);
    expect(again.results.map(({ action }) => action)).toEqual(['unchanged', 'unchanged', 'unchanged']);
    expect(again.results.map(({ uid }) => uid)).toEqual(results.map(({ uid }) => uid));
    expect(again.sequence).toBe(sequence);
    expect(await events()).toHaveLength(3);
  });

  it('say what they would do without doing it', async () => {
    const { results } = await ask(schedulerRequests.applyDefinitions, {
      dryRun: true,
      files: [{ name: 'test.yaml', text: SOURCE }],
    });
    expect(results).toMatchObject([{ kind: 'Source', name: 'docs', action: 'created' }]);
    expect(await events()).toEqual([]);
  });

  it('make one run of one command, however often it is sent', async () => {
    await apply(SOURCE, REPOSITORY, schedule('firstRun: scheduled, full: "@weekly"'));
    const commandId = freshId();
    const wish = { commandId, source: 'docs', type: 'full', copyOnly: false };
    const answers = await Promise.all([1, 2, 3].map(() => ask(schedulerRequests.requestBackup, wish)));
    const now2 = await ask(schedulerRequests.requestBackup, wish);
    for (const answer of [...answers, now2])
      expect(answer).toEqual({ run: commandedRunId(commandId), sequence: 4 });
    expect(await events('run.requested')).toHaveLength(1);

    const runNow = { commandId: freshId(), schedule: 'often' };
    const runs = await Promise.all([1, 2].map(() => ask(schedulerRequests.runSchedule, runNow)));
    expect(new Set(runs.map(({ run }) => run)).size).toBe(1);
    expect(await events('schedule.fired')).toHaveLength(1);
  });

  it('run nothing of a paused schedule, by time or by hand, until it is resumed', async () => {
    await apply(SOURCE, REPOSITORY, schedule('firstRun: scheduled, full: "@hourly"'));
    expect(await ask(schedulerRequests.pauseSchedule, { schedule: 'often', reason: 'moving' })).toMatchObject(
      {
        changed: true,
      },
    );
    expect(await ask(schedulerRequests.pauseSchedule, { schedule: 'often' })).toMatchObject({
      changed: false,
    });
    await expect(ask(schedulerRequests.runSchedule, { schedule: 'often' })).rejects.toMatchObject({
      code: 'schedule.paused',
    });
    now = START + 2 * HOUR;
    await tick();
    expect(await events('schedule.fired')).toEqual([]);
    now += 1;
    await ask(schedulerRequests.resumeSchedule, { schedule: 'often' });
    await tick();
    expect(await events('schedule.fired')).toEqual([]);
    expect((await events('schedule.skipped')).map(({ data }) => data)).toMatchObject([
      { reason: 'paused', missed: 2 },
    ]);
    now = START + 3 * HOUR;
    await tick();
    expect(await events('schedule.fired')).toHaveLength(1);
  });

  it('refuse what names nothing, by name and with a remedy', async () => {
    await apply(SOURCE, REPOSITORY);
    const restore = { repository: 'vault', backup: 'b1', include: [], overwrite: false };
    const refusals: [Promise<unknown>, string][] = [
      [ask(schedulerRequests.runSchedule, { schedule: 'none' }), 'schedule.unknown'],
      [
        ask(schedulerRequests.requestBackup, { source: 'none', type: 'full', copyOnly: false }),
        'definition.unknown',
      ],
      [
        ask(schedulerRequests.requestBackup, { source: 'docs', type: 'full', copyOnly: false }),
        'backup.repository-unclear',
      ],
      [ask(schedulerRequests.requestRescan, { repository: 'none' }), 'definition.unknown'],
      [ask(schedulerRequests.requestRestore, { ...restore, target: 'here' }), 'restore.target-not-absolute'],
      [
        ask(schedulerRequests.deleteDefinition, { kind: 'Source', name: 'docs' }).then(() =>
          apply(schedule('full: "@daily"')),
        ),
        'definition.refused',
      ],
    ];
    for (const [refusal, code] of refusals)
      await expect(refusal).rejects.toMatchObject({ code, remedy: expect.any(String) as unknown });
    expect(await events('run.requested')).toEqual([]);
  });

  it('delete definitions that nothing names, and make a new thing of one that comes again', async () => {
    const [before] = (await apply(SOURCE, REPOSITORY, schedule('firstRun: scheduled, full: "@daily"')))
      .results;
    await expect(
      ask(schedulerRequests.deleteDefinition, { kind: 'Source', name: 'docs' }),
    ).rejects.toMatchObject({
      code: 'definition.in-use',
    });
    const gone = { kind: 'Schedule', name: 'often' };
    expect(await ask(schedulerRequests.deleteDefinition, gone)).toMatchObject({ deleted: true });
    expect(await ask(schedulerRequests.deleteDefinition, gone)).toMatchObject({ deleted: false });
    await ask(schedulerRequests.deleteDefinition, { kind: 'Source', name: 'docs' });
    const [after] = (await apply(SOURCE)).results;
    expect(after?.action).toBe('created');
    expect(after?.uid).not.toBe(before?.uid);
    now = START + 48 * HOUR;
    await tick();
    expect(await events('schedule.fired')).toEqual([]);
  });
});
