import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { freshId, reply, requestSubject, schedulerRequests } from '@catena/events';
import { Service, type Clock } from '@catena/service';
import { memoryPorts, testPlatform, type SharedPorts } from '@catena/service/testing';
import { schedulerModules } from '../scheduler-modules.ts';
import { scheduleDefinitions } from '../testing/schedule-definitions.ts';
import { Ticker } from '../tick/ticker.ts';
import { ScheduleBook } from './schedule-book.ts';

const START = Date.parse('2026-11-02T10:00:00.000Z');
const HOUR = 3_600_000;

const definitions = scheduleDefinitions({
  hourly: "firstRun: scheduled, copyOnly: {cron: '@hourly', onPreviousRunning: start}",
});

describe('a scheduler that starts with a snapshot of its book', () => {
  let now: number;
  let ports: SharedPorts;
  let services: Service[];
  const clock: Clock = { now: () => now };

  beforeEach(() => {
    now = START;
    ports = memoryPorts();
    services = [];
  });
  afterEach(async () => {
    for (const service of services) await service.stop();
  });

  async function start() {
    const platform = testPlatform('scheduler', `s${services.length}`, ports, clock);
    const service = await Service.start(platform, { modules: schedulerModules });
    services.push(service);
    await service.get(ScheduleBook).current();
    const begins = platform.lines.find(
      ({ message }) => message === 'the schedule book begins with its snapshot',
    );
    return { service, begins };
  }

  async function apply(): Promise<void> {
    const command = { commandId: freshId(), actor: 'person:tester' };
    const files = [{ name: 'a.yaml', text: definitions }];
    const subject = requestSubject(schedulerRequests.applyDefinitions);
    expect(reply.parse(await ports.messages.ask(subject, { ...command, files })).ok).toBe(true);
  }

  async function nominals(): Promise<string[]> {
    const found: string[] = [];
    for await (const event of ports.eventLog.read({ types: ['schedule.fired'] }))
      if (event.type === 'schedule.fired') found.push(event.data.nominal.slice(11, 16));
    return found;
  }

  it('knows what was before and what followed, and fires nothing twice', async () => {
    const first = await start();
    expect(first.begins).toBeUndefined();
    await apply();
    now += HOUR;
    await first.service.get(Ticker).tick();
    const through = await first.service.get(ScheduleBook).current();
    await first.service.get(ScheduleBook).saveSnapshot();
    now += HOUR;
    await first.service.get(Ticker).tick();

    const second = await start();
    expect(second.begins).toMatchObject({ through });
    await second.service.get(Ticker).tick();
    expect(await nominals()).toEqual(['11:00', '12:00']);
    now += HOUR;
    await Promise.all(services.map((service) => service.get(Ticker).tick()));
    expect(await nominals()).toEqual(['11:00', '12:00', '13:00']);
  });

  it('reads the whole log when the snapshot cannot be read', async () => {
    const problems: unknown[] = [];
    ports = { ...ports, snapshots: { ...ports.snapshots, onFailure: (error) => problems.push(error) } };
    const first = await start();
    await apply();
    await first.service.get(ScheduleBook).current();
    await first.service.get(ScheduleBook).saveSnapshot();
    const book = { type: 'schedule', id: 'book' } as const;
    const kept = await ports.snapshots.store.load(book, 'schedule-book');
    await ports.snapshots.store.save(book, 'schedule-book', { ...kept!, state: 'nonsense' });
    const second = await start();
    expect(second.begins).toBeUndefined();
    expect(problems).toHaveLength(1);
    expect(second.service.get(ScheduleBook).names()).toEqual(['hourly']);
  });
});
