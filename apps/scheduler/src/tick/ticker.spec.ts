import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { freshId, reply, requestSubject, schedulerRequests } from '@catena/events';
import { Service, type Clock } from '@catena/service';
import { memoryPorts, testPlatform, type SharedPorts } from '@catena/service/testing';
import { ScheduleBook } from '../schedule-book/schedule-book.ts';
import { schedulerModules } from '../scheduler-modules.ts';
import { scheduleDefinitions } from '../testing/schedule-definitions.ts';
import { Ticker } from './ticker.ts';

const START = Date.parse('2026-11-02T10:30:00.000Z');
const HOUR = 3_600_000;

let now: number;
let ports: SharedPorts;
let service: Service;
const clock: Clock = { now: () => now };

beforeEach(async () => {
  now = START;
  ports = memoryPorts();
  service = await Service.start(testPlatform('scheduler', 'a', ports, clock), { modules: schedulerModules });
});
afterEach(async () => {
  await service.stop();
});

async function fired(): Promise<number> {
  let count = 0;
  for await (const _event of ports.eventLog.read({ types: ['schedule.fired'] })) count += 1;
  return count;
}

it('what was due while the log could not be reached fires when it can be', async () => {
  const files = [
    { name: 'a.yaml', text: scheduleDefinitions({ hourly: "firstRun: scheduled, full: '@hourly'" }) },
  ];
  const command = { commandId: freshId(), actor: 'person:tester', files };
  const answer = await ports.messages.ask(requestSubject(schedulerRequests.applyDefinitions), command);
  expect(reply.parse(answer).ok).toBe(true);
  await service.get(ScheduleBook).current();
  await service.get(Ticker).tick();

  const { eventLog } = ports;
  const lastSequence = eventLog.lastSequence.bind(eventLog);
  eventLog.lastSequence = () => Promise.reject(new Error('the log is away'));
  now += HOUR;
  await expect(service.get(Ticker).tick()).rejects.toThrow('the log is away');
  expect(await fired()).toBe(0);
  eventLog.lastSequence = lastSequence;
  await service.get(Ticker).tick();
  expect(await fired()).toBe(1);
});
