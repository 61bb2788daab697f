import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  backupIdOfRun,
  catalogRequests,
  commandedRunId,
  domainEvent,
  errorFromDescription,
  freshId,
  reply,
  requestSubject,
  type AnyDomainEvent,
  type AnyRecordedEvent,
  type BackupType,
  type EventType,
  type MoverReport,
  type RequestContract,
  type RunPlan,
  type RunRequest,
} from '@catena/events';
import { appendDecided, Service, type Clock } from '@catena/service';
import { eventually, memoryPorts, testPlatform, type SharedPorts } from '@catena/service/testing';
import type { z } from 'zod';
import { decidingModules } from './catalog-modules.ts';
import { Reconciler } from './jobs/reconciler.ts';

const statistics = { files: 1, bytes: 1, bytesRead: 1, bytesAdded: 1, milliseconds: 1 };
const OVER: readonly EventType[] = ['run.completed', 'run.failed', 'run.cancelled', 'run.refused'];

describe('two chain catalogs on one log', () => {
  let now: number;
  let ports: SharedPorts;
  let services: Service[];

  beforeEach(async () => {
    now = Date.parse('2026-11-02T10:00:00.000Z');
    ports = memoryPorts();
    const clock: Clock = { now: () => now };
    services = [];
    for (const instance of ['c1', 'c2'])
      services.push(
        await Service.start(testPlatform('chain-catalog', instance, ports, clock), {
          modules: decidingModules,
        }),
      );
    await define('Source', 'docs', { driver: 'files', files: { path: '/docs' } });
    await define('Repository', 'vault', { store: 'fs', fs: { path: '/vault' } });
  });
  afterEach(async () => {
    for (const service of services) await service.stop();
  });

  async function append(...events: AnyDomainEvent[]): Promise<void> {
    const [first] = events;
    if (first === undefined) throw new Error('Nothing to append.');
    const type = first.type.slice(0, first.type.indexOf('.')) as 'run';
    const aggregate = { type, id: first.aggregateId };
    const head = await ports.eventLog.head(aggregate);
    const id = freshId();
    await appendDecided(ports.eventLog, events, [{ aggregate, head }], {
      time: new Date(now).toISOString(),
      actor: 'person:tester',
      correlationId: id,
      causationId: id,
    });
  }

  const define = (kind: 'Source' | 'Repository' | 'Limits', name: string, spec: Record<string, unknown>) =>
    append(
      domainEvent('definition.applied', `${kind.toLowerCase()}-${name}`, {
        kind,
        name,
        uid: `uid-${name}`,
        generation: 1,
        labels: {},
        spec,
      }),
    );

  async function request(
    wish: RunRequest,
    more: { schedule?: string; priority?: 'low' | 'high' } = {},
  ): Promise<string> {
    const run = commandedRunId(freshId());
    await append(domainEvent('run.requested', run, { request: wish, ...more }));
    return run;
  }

  const backup = (type: BackupType, copyOnly = false) =>
    request({ kind: 'backup', source: 'docs', repository: 'vault', type, copyOnly });

  async function history(run: string): Promise<AnyRecordedEvent[]> {
    const found: AnyRecordedEvent[] = [];
    for await (const event of ports.eventLog.read({ aggregate: { type: 'run', id: run } })) found.push(event);
    return found;
  }

  function planned(run: string): Promise<RunPlan> {
    return eventually(`the plan of ${run}`, async () => {
      for (const event of await history(run)) if (event.type === 'run.planned') return event.data.plan;
      return undefined;
    });
  }

  async function ask<I extends z.ZodType, O extends z.ZodType>(
    contract: RequestContract<I, O>,
    input: object,
  ): Promise<z.output<O>> {
    const answer = reply.parse(await ports.messages.ask(requestSubject(contract), input));
    if (!answer.ok) throw errorFromDescription({ ...answer.error });
    return contract.output.parse(answer.result);
  }

  const claim = (run: string, attempt = 1) =>
    append(domainEvent('run.claimed', run, { attempt, mover: `mover-${attempt}` }));

  const report = (run: string, outcome: MoverReport['outcome'], attempt = 1) =>
    ask(catalogRequests.report, { run, attempt, mover: `mover-${attempt}`, outcome });

  /** A mover's part: the manifest of what was planned. */
  function made(run: string, plan: RunPlan): MoverReport['outcome'] {
    if (plan.kind !== 'backup') throw new Error(`${run} is no backup.`);
    const at = new Date(now).toISOString();
    return {
      kind: 'completed',
      statistics,
      warnings: [],
      warningCount: 0,
      manifest: {
        name: `${plan.backup}/manifest.json`,
        hash: 'h',
        run,
        backup: plan.backup,
        collection: plan.collection,
        source: plan.source.name,
        sourceUid: plan.source.uid,
        type: plan.type,
        copyOnly: plan.copyOnly,
        ...(plan.parent === undefined ? {} : { parent: plan.parent }),
        ...(plan.base === undefined ? {} : { base: plan.base }),
        chain: plan.chain,
        family: 'family-1',
        position: plan.position ?? '0',
        startedAt: at,
        asOf: at,
        finishedAt: at,
        closure: plan.type === 'full' ? [] : [plan.chain],
        files: 1,
        bytes: 1,
        bytesAdded: 1,
        keyIds: [],
        warningCount: 0,
      },
    };
  }

  async function complete(run: string): Promise<RunPlan> {
    const plan = await planned(run);
    await claim(run);
    expect(await report(run, made(run, plan))).toMatchObject({ accepted: true });
    return plan;
  }

  it('plan each run once and hint one mover at it', async () => {
    const run = await backup('incremental');
    expect(await planned(run)).toMatchObject({
      kind: 'backup',
      type: 'full',
      promotedFrom: 'incremental',
      backup: backupIdOfRun(run),
    });
    await eventually('the job', async () => (await ports.jobQueue.pending()).has(run));
    expect((await history(run)).filter(({ type }) => type === 'run.planned')).toHaveLength(1);
  });

  it('let data runs of one collection wait for each other, in the order of their requests', async () => {
    const full = await backup('full');
    await planned(full);
    const waiting = [await backup('incremental'), await backup('incremental'), await backup('incremental')];
    const copy = await backup('full', true);
    expect(await planned(copy)).toMatchObject({ copyOnly: true });
    for (const run of waiting) await eventually('a word of its wait', async () => (await history(run))[1]);
    for (const run of waiting)
      expect((await history(run)).map(({ type }) => type)).toEqual(['run.requested', 'run.waiting']);
    let parent = (await complete(full)) as { backup?: string };
    for (const run of waiting) {
      const plan = (await complete(run)) as Extract<RunPlan, { kind: 'backup' }>;
      expect(plan).toMatchObject({ type: 'incremental', parent: parent.backup });
      parent = plan;
    }
  });

  describe('under limits on what runs at once', () => {
    const sources = ['s1', 's2', 's3', 's4', 's5'];

    beforeEach(async () => {
      for (const name of sources)
        await define('Source', name, { driver: 'files', files: { path: `/${name}` } });
      await define('Limits', 'platform', { runsAtOnce: 2 });
    });

    const backupOf = (source: string, more: { schedule?: string; priority?: 'low' | 'high' } = {}) =>
      request({ kind: 'backup', source, repository: 'vault', type: 'full', copyOnly: false }, more);

    const waits = (run: string) =>
      eventually(`${run} says why it waits`, async () => {
        for (const event of await history(run)) if (event.type === 'run.waiting') return event.data;
        return undefined;
      });

    const isPlanned = async (run: string) => (await history(run)).some(({ type }) => type === 'run.planned');

    it('rule 3.11: let in as many as there is room for, the others say why they wait, and each has its turn', async () => {
      const runs: string[] = [];
      for (const source of sources) runs.push(await backupOf(source));
      const [first, second, ...others] = runs as [string, string, ...string[]];
      await Promise.all([planned(first), planned(second)]);
      for (const run of others) {
        expect(await waits(run)).toEqual({ reason: 'platform', limit: 2, by: [first, second] });
        expect(await isPlanned(run)).toBe(false);
      }
      await complete(first);
      await planned(others[0]!);
      expect(await isPlanned(others[1]!)).toBe(false);
      for (const run of runs.slice(1)) await complete(run);
      const admitted: string[] = [];
      for await (const event of ports.eventLog.read({ types: ['limits.run-admitted'] }))
        if (event.type === 'limits.run-admitted') admitted.push(event.data.run);
      expect(admitted).toEqual(runs);
    });

    it('rule 3.11: a restore that a person waits for goes first, then by priority, then in order', async () => {
      const full = await backupOf('s1');
      await complete(full);
      await define('Limits', 'platform', { runsAtOnce: 1 });
      const busy = await backupOf('s2');
      await planned(busy);
      const low = await backupOf('s3', { schedule: 'a', priority: 'low' });
      const normal = await backupOf('s4', { schedule: 'b' });
      const high = await backupOf('s5', { schedule: 'c', priority: 'high' });
      const restore = await request({
        ...{ kind: 'restore', repository: 'vault', backup: backupIdOfRun(full), target: '/t' },
        ...{ include: [], overwrite: false },
      });
      for (const run of [low, normal, high, restore]) await waits(run);
      const order: string[] = [];
      await complete(busy);
      for (const run of [restore, high, normal, low]) {
        await planned(run);
        for (const one of [restore, high, normal, low])
          if (!order.includes(one) && (await isPlanned(one))) order.push(one);
        if (run === restore) {
          await claim(run);
          await report(run, { kind: 'completed', statistics, warnings: [], warningCount: 0 });
        } else await complete(run);
      }
      expect(order).toEqual([restore, high, normal, low]);
    });

    it('rule 3.11: a limit of a source or repository holds only its own; a raised limit lets in what waits', async () => {
      await define('Limits', 'platform', { perRepository: 1 });
      await define('Repository', 'shelf', { store: 'fs', fs: { path: '/shelf' } });
      const first = await backupOf('s1');
      await planned(first);
      const second = await backupOf('s2');
      expect(await waits(second)).toMatchObject({ reason: 'repository', of: 'vault', limit: 1, by: [first] });
      const elsewhere = { source: 's3', repository: 'shelf', type: 'full', copyOnly: false } as const;
      await planned(await request({ kind: 'backup', ...elsewhere }));
      await define('Repository', 'vault', { store: 'fs', fs: { path: '/vault' }, runsAtOnce: 2 });
      now += 3_000;
      await planned(second);
    });

    it('a run that waits can be cancelled, and takes nobody’s place', async () => {
      const [a, b, c, d] = [
        await backupOf('s1'),
        await backupOf('s2'),
        await backupOf('s3'),
        await backupOf('s4'),
      ];
      await waits(c);
      await waits(d);
      const answer = await ask(catalogRequests.cancelRun, {
        commandId: freshId(),
        actor: 'person:ada',
        run: c,
      });
      expect(answer).toMatchObject({ changed: true });
      expect((await history(c)).at(-1)?.type).toBe('run.cancelled');
      await complete(a);
      await planned(d);
      await complete(b);
      await complete(d);
    });
  });

  it('record outcome, backup and collection in one append, and the same report again changes nothing', async () => {
    const run = await backup('full');
    const plan = await planned(run);
    await claim(run);
    const [first, second] = await Promise.all([report(run, made(run, plan)), report(run, made(run, plan))]);
    expect([first.accepted, second.accepted]).toEqual([true, true]);
    const before = await ports.eventLog.lastSequence();
    expect(await report(run, made(run, plan))).toMatchObject({ accepted: true });
    expect(await ports.eventLog.lastSequence()).toBe(before);
    const last: string[] = [];
    for await (const { type } of ports.eventLog.read({ from: before - 2 })) last.push(type);
    expect(last.sort()).toEqual(['backup.completed', 'collection.backup-completed', 'run.completed']);
  });

  it('hear no attempt that was superseded', async () => {
    const run = await backup('full');
    const plan = await planned(run);
    await claim(run, 1);
    await claim(run, 2);
    expect(await report(run, made(run, plan), 1)).toMatchObject({
      accepted: false,
      reason: 'run.attempt-superseded',
    });
    expect(await report(run, made(run, plan), 2)).toMatchObject({ accepted: true });
  });

  it('have a failed attempt repeated when its time has come, and give up on what is final', async () => {
    const run = await backup('full');
    await planned(run);
    await claim(run);
    const queue = await ports.jobQueue.take({
      kinds: ['backup'],
      waitMilliseconds: 60_000,
      signal: new AbortController().signal,
    });
    await report(run, { kind: 'failed', failure: { code: 'x', message: 'm', retryable: true } });
    await queue?.acknowledge();
    const [first] = services;
    await first?.get(Reconciler).round();
    expect((await ports.jobQueue.pending()).has(run)).toBe(false);
    now += 60_000;
    await first?.get(Reconciler).round();
    expect((await ports.jobQueue.pending()).has(run)).toBe(true);
    await claim(run, 2);
    await report(run, { kind: 'failed', failure: { code: 'x', message: 'm', retryable: false } }, 2);
    expect((await history(run)).at(-1)).toMatchObject({ type: 'run.failed', data: { attempt: 2 } });
    expect(await planned(await backup('incremental'))).toMatchObject({ type: 'full' });
  });

  it('put back the jobs of a queue that was lost', async () => {
    const run = await backup('full');
    await eventually('the job', async () => (await ports.jobQueue.pending()).has(run));
    const job = await ports.jobQueue.take({
      kinds: ['backup'],
      waitMilliseconds: 60_000,
      signal: new AbortController().signal,
    });
    await job?.acknowledge();
    expect((await ports.jobQueue.pending()).size).toBe(0);
    now += 5_000;
    await Promise.all(services.map((service) => service.get(Reconciler).round()));
    expect([...(await ports.jobQueue.pending())]).toEqual([run]);
  });

  it('cancel what nobody works on at once, and free its place', async () => {
    const run = await backup('full');
    await planned(run);
    const next = await backup('full');
    const command = { commandId: freshId(), actor: 'person:tester' };
    expect(await ask(catalogRequests.cancelRun, { ...command, run })).toMatchObject({ changed: true });
    expect(await ask(catalogRequests.cancelRun, { ...command, run })).toMatchObject({ changed: false });
    expect((await history(run)).map(({ type }) => type)).toEqual([
      'run.requested',
      'run.planned',
      'run.cancel-requested',
      'run.cancelled',
    ]);
    expect(await planned(next)).toMatchObject({ type: 'full' });
    await expect(ask(catalogRequests.cancelRun, { ...command, run: 'run-none' })).rejects.toMatchObject({
      code: 'run.unknown',
    });
  });

  it('ask the mover to stop a run that is worked on', async () => {
    const run = await backup('full');
    await planned(run);
    await claim(run);
    const told = Promise.withResolvers<string>();
    ports.messages.listen('catena.cancel.*', (_, subject) => told.resolve(subject));
    await ask(catalogRequests.cancelRun, { commandId: freshId(), actor: 'person:tester', run });
    expect(await told.promise).toBe(`catena.cancel.${run}`);
    await report(run, { kind: 'cancelled' });
    expect((await history(run)).at(-1)?.type).toBe('run.cancelled');
  });

  it('refuse runs that cannot be, with the reason', async () => {
    const run = await request({ kind: 'rescan', repository: 'none' });
    const refused = await eventually('the refusal', async () =>
      (await history(run)).find(({ type }) => OVER.includes(type)),
    );
    expect(refused).toMatchObject({
      type: 'run.refused',
      data: { failure: { code: 'chain.definition-unknown' } },
    });
  });

  it('remember which generated keys were stored elsewhere', async () => {
    await append(
      domainEvent('repository.key-generated', 'uid-vault', {
        repository: 'vault',
        keyId: 'k1',
        path: '/key',
      }),
    );
    const command = { commandId: freshId(), actor: 'person:tester', repository: 'vault' };
    expect(await ask(catalogRequests.keyExported, { ...command, keyId: 'k1' })).toMatchObject({
      changed: true,
    });
    expect(await ask(catalogRequests.keyExported, { ...command, keyId: 'k1' })).toMatchObject({
      changed: false,
    });
    await expect(ask(catalogRequests.keyExported, { ...command, keyId: 'k2' })).rejects.toMatchObject({
      code: 'catalog.key-unknown',
    });
  });
});
