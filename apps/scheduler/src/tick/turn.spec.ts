import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { freshId, requestSubject, schedulerRequests, type AnyRecordedEvent } from '@catena/events';
import { Service, type Clock } from '@catena/service';
import { eventually, memoryPorts, testPlatform, type SharedPorts } from '@catena/service/testing';
import { schedulerModules } from '../scheduler-modules.ts';
import { scheduleDefinitions } from '../testing/schedule-definitions.ts';
import { Turn } from './turn.ts';

const definitions = scheduleDefinitions({
  often: "firstRun: scheduled, copyOnly: {cron: '* * * * * *', onPreviousRunning: start}",
});

describe('issue 6.7: two schedulers on one log', () => {
  let ports: SharedPorts;
  let services: Service[];
  const clock: Clock = { now: () => Date.now() };

  const start = async (instance: string) => {
    const service = await Service.start(testPlatform('scheduler', instance, ports, clock), {
      modules: schedulerModules,
    });
    services.push(service);
    return service;
  };

  beforeEach(() => {
    ports = memoryPorts();
    services = [];
  });
  afterEach(async () => {
    for (const service of services) await service.stop();
  });

  async function fired(): Promise<Extract<AnyRecordedEvent, { type: 'schedule.fired' }>[]> {
    const found: Extract<AnyRecordedEvent, { type: 'schedule.fired' }>[] = [];
    for await (const event of ports.eventLog.read({ types: ['schedule.fired'] }))
      if (event.type === 'schedule.fired') found.push(event);
    return found;
  }

  const firings = (count: number) =>
    eventually(`${count} firings`, async () => {
      const events = await fired();
      return events.length >= count ? events : undefined;
    });

  it('one has the turn and the other leaves it the work; when it goes the other goes on, losing and doubling nothing', async () => {
    const first = await start('a');
    const second = await start('b');
    await eventually('b knows of a', () => Promise.resolve(!second.get(Turn).isOurs() || undefined));
    expect(first.get(Turn).isOurs()).toBe(true);
    await ports.messages.ask(requestSubject(schedulerRequests.applyDefinitions), {
      ...{ commandId: freshId(), actor: 'person:tester' },
      files: [{ name: 'a.yaml', text: definitions }],
    });
    await firings(2);
    await first.stop();
    const before = (await fired()).length;
    services.splice(services.indexOf(first), 1);
    expect(second.get(Turn).isOurs()).toBe(true);
    const events = await firings(before + 3);
    expect(events.at(-1)?.actor).toBe('scheduler:b');
    const nominal = events.map(({ data }) => Date.parse(data.nominal) / 1000);
    const missed = new Set<number>();
    for await (const event of ports.eventLog.read({ types: ['schedule.skipped'] }))
      if (event.type === 'schedule.skipped')
        for (
          let at = Date.parse(event.data.nominal);
          at <= Date.parse(event.data.until ?? event.data.nominal);
          at += 1000
        )
          missed.add(at / 1000);
    expect(new Set(nominal).size).toBe(nominal.length);
    for (let at = nominal[0]!; at <= nominal.at(-1)!; at += 1)
      expect([at, nominal.includes(at) || missed.has(at)]).toEqual([at, true]);
  });
});
