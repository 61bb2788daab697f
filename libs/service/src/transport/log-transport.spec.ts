import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  CatenaError,
  catalogRequests,
  domainEvent,
  requestSubject,
  schedulerRequests,
  type Cadence,
  type RecordedEvent,
} from '@catena/events';
import { EMPTY_HEAD, type TakenJob } from '@catena/event-log';
import { Controller, Module } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { appendDecided } from '../aggregates/append-decided.ts';
import { Service } from '../lifecycle/service.ts';
import {
  eventually,
  memoryPorts,
  testPlatform,
  type SharedPorts,
  type TestPlatform,
} from '../testing/index.ts';
import { AnswersRequest, HandlesEvents, HandlesJobs } from './handler-decorators.ts';
import { HandlerContext } from './handler-context.ts';

const seen: string[] = [];
let failures = 0;
let answer: unknown;

@Controller()
class SampleController {
  @AnswersRequest(schedulerRequests.runSchedule)
  async run(input: { schedule: string; cadence?: Cadence | undefined }) {
    if (input.schedule === 'paused')
      throw new CatenaError('schedule.paused', 'It is paused.', { remedy: 'Resume it.' });
    await setImmediate();
    return { run: `run-of-${input.schedule}`, sequence: 7 };
  }

  @AnswersRequest(catalogRequests.cancelRun)
  async wrong() {
    await setImmediate();
    return answer as { changed: boolean; sequence: number };
  }

  @HandlesEvents({ name: 'sample', types: ['repository.key-exported'], backoff: [1, 1] })
  async exported(@Payload() event: RecordedEvent<'repository.key-exported'>, @Ctx() context: HandlerContext) {
    await setImmediate();
    seen.push(`${event.data.keyId} delivery ${context.delivery}`);
    if (failures-- > 0 || event.data.keyId === 'never') throw new Error('not yet');
  }

  @HandlesJobs({ kinds: ['backup'] })
  async work(@Payload() job: TakenJob, @Ctx() context: HandlerContext) {
    seen.push(`job ${job.run}`);
    if (job.run === 'run-fails') throw new Error('broken');
    await new Promise((resolve) => context.stopping.addEventListener('abort', resolve));
    seen.push(`handed back ${job.run}`);
    await job.giveBack(0);
  }
}

@Module({ controllers: [SampleController] })
class SampleModule {}

describe('the transport', () => {
  let ports: SharedPorts;
  let platform: TestPlatform;
  let service: Service;

  beforeEach(async () => {
    seen.length = 0;
    failures = 0;
    ports = memoryPorts();
    platform = testPlatform('scheduler', 's1', ports);
    service = await Service.start(platform, { modules: [SampleModule], jobSlots: 2 });
  });
  afterEach(() => service.stop());

  const ask = (
    input: unknown,
    contract: Parameters<typeof requestSubject>[0] = schedulerRequests.runSchedule,
  ) => ports.messages.ask(requestSubject(contract), input);
  const command = { commandId: 'command-1', actor: 'person:tester' };
  const append = (keyId: string) =>
    appendDecided(
      ports.eventLog,
      [domainEvent('repository.key-exported', `rep-${keyId}`, { repository: 'vault', keyId })],
      [{ aggregate: { type: 'repository', id: `rep-${keyId}` }, head: EMPTY_HEAD }],
      { time: '2026-11-01T00:00:00.000Z', actor: 'person:tester', correlationId: 'c', causationId: 'c' },
    );

  it('answers requests', async () => {
    expect(await ask({ ...command, schedule: 'daily' })).toEqual({
      ok: true,
      result: { run: 'run-of-daily', sequence: 7 },
    });
  });

  it('answers a refusal with its code and remedy', async () => {
    expect(await ask({ ...command, schedule: 'paused' })).toEqual({
      ok: false,
      error: { code: 'schedule.paused', message: 'It is paused.', remedy: 'Resume it.', retryable: false },
    });
  });

  it('refuses what the contract does not allow, naming the field', async () => {
    expect(await ask({ ...command, schedule: 'Not A Name' })).toMatchObject({
      ok: false,
      error: { code: 'request.invalid', message: expect.stringContaining('schedule') as unknown },
    });
  });

  it('gives out no answer that breaks the contract', async () => {
    answer = { changed: 'perhaps' };
    expect(await ask({ ...command, run: 'run-1' }, catalogRequests.cancelRun)).toMatchObject({
      ok: false,
      error: { code: 'internal.unexpected' },
    });
  });

  it('delivers an event again until its handler has succeeded', async () => {
    failures = 2;
    await append('k1');
    await eventually('the third delivery', () => seen.includes('k1 delivery 3'));
    await append('k2');
    await eventually('the next event', () => seen.includes('k2 delivery 1'));
    expect(seen).toEqual(['k1 delivery 1', 'k1 delivery 2', 'k1 delivery 3', 'k2 delivery 1']);
  });

  it('makes a dead letter of an event whose handler never succeeds, and goes on', async () => {
    await append('never');
    await append('k2');
    await eventually('the next event', () => seen.includes('k2 delivery 1'));
    await eventually('the dead letter', async () => (await ports.eventLog.deadLetters.count()) === 1);
  });

  it('gives a job back whose handler failed', async () => {
    await ports.jobQueue.put({ kind: 'backup', run: 'run-fails', key: 'a' });
    await eventually('the failure in the log', () =>
      platform.lines.find(
        ({ message, run }) => String(message).includes('given back') && run === 'run-fails',
      ),
    );
    expect([...(await ports.jobQueue.pending())]).toEqual(['run-fails']);
  });

  it('works on as many jobs as it has slots, and lets them hand back what they hold when it stops', async () => {
    for (const run of ['run-1', 'run-2', 'run-3'])
      await ports.jobQueue.put({ kind: 'backup', run, key: run });
    await eventually('two jobs at work', () => seen.length === 2);
    await service.stop();
    expect(seen).toEqual(['job run-1', 'job run-2', 'handed back run-1', 'handed back run-2']);
    expect((await ports.jobQueue.pending()).size).toBe(3);
  });

  it('puts the run on every line that concerns it', async () => {
    answer = { changed: true, sequence: 1 };
    await ask({ ...command, run: 'run-9' }, catalogRequests.cancelRun);
    const line = platform.lines.find(({ message }) => message === 'answered');
    expect(line).toMatchObject({ run: 'run-9', request: 'cancel-run', service: 'scheduler', instance: 's1' });
  });

  it('announces where its health can be asked', async () => {
    const ready = await fetch(`${service.announcement.health}/health/ready`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ ready: true, checks: { 'events sample': { ok: true } } });
  });
});
