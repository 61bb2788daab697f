import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  cancelSubject,
  CatenaError,
  catalogRequests,
  domainEvent,
  progressSubject,
  requestSubject,
  type AnyDomainEvent,
  type MoverReport,
  type ProgressMessage,
  type RunPlan,
} from '@catena/events';
import { evolveRun, initialRun, isOver } from '@catena/run';
import { AggregateCache, appendDecided, Service } from '@catena/service';
import { eventually, memoryPorts, testPlatform, type SharedPorts } from '@catena/service/testing';
import {
  RUN_EXECUTORS,
  type AnyRunExecutor,
  type Execution,
  type RunExecutor,
  type WorkDone,
} from '../execution/run-executor.ts';
import { MoverModule } from '../mover.module.ts';

const repository = { uid: 'rep1', name: 'vault', generation: 1, spec: {} };
const plan: RunPlan = { kind: 'rescan', repository };
const statistics = { files: 1, bytes: 2, bytesRead: 2, bytesAdded: 0, milliseconds: 3 };
const done: WorkDone = { statistics, warnings: [], warningCount: 0 };

/** Stands in for the work itself: each test says what it does. */
class ScriptedExecutor implements RunExecutor<'rescan'> {
  readonly kind = 'rescan';
  script: (execution: Execution) => Promise<WorkDone> = () => Promise.resolve(done);

  execute(execution: Execution): Promise<WorkDone> {
    return this.script(execution);
  }
}

/** Waits as work does: until it is told to stop. */
function untilStopped(execution: Execution): Promise<never> {
  return new Promise((_, reject) =>
    execution.signal.addEventListener('abort', () => reject(execution.signal.reason as Error)),
  );
}

describe('an attempt', () => {
  let ports: SharedPorts;
  let runs: AggregateCache<ReturnType<typeof initialRun>>;
  let services: Service[];
  let reports: MoverReport[];
  let answer: () => unknown;

  beforeEach(async () => {
    ports = memoryPorts({ ackWaitMilliseconds: 300 });
    runs = new AggregateCache(ports.eventLog, {
      type: 'run',
      initial: initialRun,
      evolve: (state, events) => events.reduce((now, event) => evolveRun(now, event), state),
    });
    services = [];
    reports = [];
    answer = () => ({ ok: true, result: { accepted: true, sequence: 1 } });
    await ports.messages.serve(requestSubject(catalogRequests.report), 'stand-in', (payload) => {
      reports.push(payload as MoverReport);
      return Promise.resolve(answer());
    });
  });
  afterEach(async () => {
    for (const service of services) await service.stop();
  });

  async function append(run: string, ...events: AnyDomainEvent[]): Promise<void> {
    const { head, lastEvent } = await runs.load(run);
    const context = {
      time: new Date().toISOString(),
      actor: 'person:tester',
      correlationId: run,
      causationId: lastEvent || 'command',
    };
    await appendDecided(ports.eventLog, events, [{ aggregate: { type: 'run', id: run }, head }], context);
  }

  async function plannedRun(run: string): Promise<void> {
    await append(
      run,
      domainEvent('run.requested', run, { request: { kind: 'rescan', repository: 'vault' } }),
      domainEvent('run.planned', run, { plan }),
    );
    await ports.jobQueue.put({ kind: 'rescan', run, key: run });
  }

  async function startMover(instance: string): Promise<ScriptedExecutor> {
    const executor = new ScriptedExecutor();
    services.push(await startedMover(instance, [executor]));
    return executor;
  }

  function startedMover(instance: string, executors: readonly AnyRunExecutor[]): Promise<Service> {
    const platform = testPlatform('mover', instance, ports);
    return Service.start(platform, {
      modules: [MoverModule.with([{ provide: RUN_EXECUTORS, useValue: executors }])],
      jobSlots: 1,
    });
  }

  const state = async (run: string) => (await runs.load(run)).state;
  const noJobLeft = async () => (await ports.jobQueue.pending()).size === 0;

  it('claims, works, reports and only then acknowledges', async () => {
    const mover = await startMover('m1');
    let jobWhileReporting: ReadonlySet<string> = new Set();
    answer = () => {
      void ports.jobQueue.pending().then((pending) => (jobWhileReporting = pending));
      return { ok: true, result: { accepted: true, sequence: 1 } };
    };
    mover.script = () => Promise.resolve({ ...done, warningCount: 3 });
    await plannedRun('run-1');
    await eventually('the acknowledgement', noJobLeft);
    expect(await state('run-1')).toMatchObject({ phase: 'running', attempt: 1, mover: 'm1' });
    expect(reports).toEqual([
      {
        run: 'run-1',
        attempt: 1,
        mover: 'm1',
        outcome: { kind: 'completed', statistics, warnings: [], warningCount: 3 },
      },
    ]);
    expect([...jobWhileReporting]).toEqual(['run-1']);
  });

  it('reports a failure with its code, and whether it may be repeated', async () => {
    const mover = await startMover('m1');
    mover.script = () =>
      Promise.reject(new CatenaError('vault.full', 'Full.', { retryable: true, remedy: 'Room.' }));
    await plannedRun('run-1');
    await eventually('the acknowledgement', noJobLeft);
    expect(reports[0]?.outcome).toEqual({
      kind: 'failed',
      failure: { code: 'vault.full', message: 'Full.', remedy: 'Room.', retryable: true },
    });
  });

  it('repeats a report until the catalog answers', async () => {
    let refused = 2;
    answer = () =>
      refused-- > 0
        ? { ok: false, error: { code: 'internal.unexpected', message: 'database away', retryable: true } }
        : { ok: true, result: { accepted: true, sequence: 1 } };
    await startMover('m1');
    await plannedRun('run-1');
    await eventually('the acknowledgement', noJobLeft);
    expect(reports).toHaveLength(3);
  });

  it('says how far it is, with the attempt, without being asked', async () => {
    const heard: ProgressMessage[] = [];
    ports.messages.listen(progressSubject('run-1'), (payload) => heard.push(payload as ProgressMessage));
    const mover = await startMover('m1');
    mover.script = async ({ progress }) => {
      progress.enter('verifying');
      progress.update({ files: 2, bytes: 50, totalBytes: 100 });
      await eventually('progress', () => heard.some(({ bytes }) => bytes === 50));
      return done;
    };
    await plannedRun('run-1');
    await eventually('the acknowledgement', noJobLeft);
    expect(heard.find(({ bytes }) => bytes === 50)).toMatchObject({
      run: 'run-1',
      attempt: 1,
      mover: 'm1',
      phase: 'verifying',
      files: 2,
      totalBytes: 100,
    });
  });

  it('drops the job of a run that is over', async () => {
    await plannedRun('run-1');
    await append('run-1', domainEvent('run.cancelled', 'run-1', { attempt: 0 }));
    await startMover('m1');
    await eventually('the acknowledgement', noJobLeft);
    expect(isOver(await state('run-1'))).toBe(true);
    expect(reports).toEqual([]);
  });

  it('stops when the run is to be cancelled, and says so', async () => {
    const mover = await startMover('m1');
    mover.script = untilStopped;
    await plannedRun('run-1');
    await eventually('the claim', async () => (await state('run-1')).phase === 'running');
    await append('run-1', domainEvent('run.cancel-requested', 'run-1', {}));
    ports.messages.notify(cancelSubject('run-1'), {});
    await eventually('the acknowledgement', noJobLeft);
    expect(reports[0]?.outcome).toEqual({ kind: 'cancelled' });
  });

  it('gives the run back when its mover stops, and another takes it at once', async () => {
    const first = await startMover('m1');
    first.script = untilStopped;
    await plannedRun('run-1');
    await eventually('the claim', async () => (await state('run-1')).phase === 'running');
    await services[0]?.stop();
    expect((await state('run-1')).phase).toBe('planned');
    await startMover('m2');
    await eventually('the acknowledgement', noJobLeft);
    expect(reports).toMatchObject([{ attempt: 2, mover: 'm2', outcome: { kind: 'completed' } }]);
  });

  it('leaves a run alone whose mover is at work, even when it has a second job', async () => {
    const first = await startMover('m1');
    const gate = Promise.withResolvers<undefined>();
    first.script = async () => {
      await gate.promise;
      return done;
    };
    await plannedRun('run-1');
    await eventually('the claim', async () => (await state('run-1')).phase === 'running');
    await ports.jobQueue.put({ kind: 'rescan', run: 'run-1', key: 'second' });
    const taken = testPlatform('mover', 'm2', ports);
    services.push(
      await Service.start(taken, {
        modules: [MoverModule.with([{ provide: RUN_EXECUTORS, useValue: [new ScriptedExecutor()] }])],
        jobSlots: 1,
      }),
    );
    await eventually('the second mover leaving it', () =>
      taken.lines.some(({ message }) => message === 'another mover works on it'),
    );
    gate.resolve(undefined);
    await eventually('the report', () => reports.length > 0);
    expect(reports).toMatchObject([{ attempt: 1, mover: 'm1' }]);
  });

  it('stops without a word when another attempt has taken over', async () => {
    const mover = await startMover('m1');
    const stopped = Promise.withResolvers<unknown>();
    mover.script = async (execution) => {
      await append('run-1', domainEvent('run.claimed', 'run-1', { attempt: 2, mover: 'm2' }));
      await execution.assertHeld().catch((error: unknown) => {
        stopped.resolve(error);
        throw error;
      });
      return done;
    };
    await plannedRun('run-1');
    expect(String(await stopped.promise)).toContain('superseded');
    await services[0]?.stop();
    expect(reports).toEqual([]);
    expect(await state('run-1')).toMatchObject({ phase: 'running', attempt: 2, mover: 'm2' });
  });
});
