import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { freshId, reply, requestSubject, schedulerRequests, type AnyRecordedEvent } from '@catena/events';
import { Service, type Clock } from '@catena/service';
import { eventually, memoryPorts, testPlatform, type SharedPorts } from '@catena/service/testing';
import { ScheduleBook } from '../schedule-book/schedule-book.ts';
import { schedulerModules } from '../scheduler-modules.ts';
import { scheduleDefinitions } from '../testing/schedule-definitions.ts';
import { Foresight } from './foresight.ts';
import { Ticker } from './ticker.ts';

const DUE = Date.parse('2026-11-02T10:00:00.000Z');

const definitions = scheduleDefinitions({ hourly: "firstRun: scheduled, full: '@hourly'" });

describe('what is due soon is made ready before', () => {
  let now: number;
  let ports: SharedPorts;
  let services: Service[];
  const clock: Clock = { now: () => now };

  beforeEach(async () => {
    now = DUE - 1_500;
    ports = memoryPorts();
    services = [];
    await start('a');
    await ask(schedulerRequests.applyDefinitions, { files: [{ name: 'a.yaml', text: definitions }] });
    await eventually('it is made ready', () => services[0]!.get(Foresight).has('hourly'));
  });
  afterEach(async () => {
    for (const service of services) await service.stop();
  });

  async function start(instance: string): Promise<void> {
    services.push(
      await Service.start(testPlatform('scheduler', instance, ports, clock), { modules: schedulerModules }),
    );
  }

  async function ask(contract: Parameters<typeof requestSubject>[0], input: object): Promise<void> {
    const command = { commandId: freshId(), actor: 'person:tester', ...input };
    const answer = reply.parse(await ports.messages.ask(requestSubject(contract), command));
    expect(answer.ok).toBe(true);
  }

  async function events(): Promise<AnyRecordedEvent[]> {
    const found: AnyRecordedEvent[] = [];
    for await (const event of ports.eventLog.read())
      if (event.aggregate.type !== 'definition') found.push(event);
    return found;
  }

  async function fired(): Promise<{ nominal: string; actual: string; time: string }[]> {
    return (await events()).flatMap((event) =>
      event.type === 'schedule.fired'
        ? [{ nominal: event.data.nominal, actual: event.data.actual, time: event.time }]
        : [],
    );
  }

  const tickAt = async (at: number) => {
    now = at;
    await Promise.all(services.map((service) => service.get(Ticker).tick()));
  };

  it('and sent at its instant, not before, once', async () => {
    await tickAt(DUE - 1);
    expect(await fired()).toEqual([]);
    await tickAt(DUE + 200);
    const instant = new Date(DUE).toISOString();
    // What was decided ahead bears the instant itself and not the one of sending.
    expect(await fired()).toEqual([{ nominal: instant, actual: instant, time: instant }]);
    await tickAt(DUE + 300);
    expect(await events()).toHaveLength(2);
  });

  it('and decided again when its instant is long past', async () => {
    await tickAt(DUE + 1_500);
    expect((await fired()).map(({ actual }) => Date.parse(actual))).toEqual([DUE + 1_500]);
  });

  it.each([
    ['paused', schedulerRequests.pauseSchedule, { schedule: 'hourly' }, ['schedule.paused']],
    ['deleted', schedulerRequests.deleteDefinition, { kind: 'Schedule', name: 'hourly' }, []],
  ])('and forgotten when it is %s in between', async (_what, contract, input, expected) => {
    await ask(contract, input);
    await tickAt(DUE + 10);
    expect((await events()).map(({ type }) => type)).toEqual(expected);
  });

  it('and is nothing when another scheduler was faster', async () => {
    await start('b');
    await eventually('the other knows it', () => services[1]!.get(ScheduleBook).names().length > 0);
    await tickAt(DUE + 10);
    expect((await events()).map(({ type }) => type)).toEqual(['schedule.fired', 'run.requested']);
  });
});
