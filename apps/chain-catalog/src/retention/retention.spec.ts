import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  collectionIdOf,
  domainEvent,
  freshId,
  type AnyDomainEvent,
  type AnyRecordedEvent,
  type DefinitionKind,
  type EventType,
  type RunPlan,
  type RunRequest,
} from '@catena/events';
import { MemoryEventLog } from '@catena/event-log';
import { appendDecided, Service } from '@catena/service';
import { eventually, memoryPorts, testPlatform, type SharedPorts } from '@catena/service/testing';
import { decidingModules } from '../catalog-modules.ts';
import { RetentionService } from './retention.service.ts';

const DAY = 24 * 3_600_000;
const COLLECTION = collectionIdOf('uid-docs', 'uid-vault');
const NIGHTLY = { source: 'docs', repository: 'vault', full: '@daily', timeZone: 'Europe/Berlin' };

describe('two catalogs that decide about retention', () => {
  let now: number;
  let ahead: number;
  let ports: SharedPorts;
  let services: Service[];

  beforeEach(async () => {
    now = Date.parse('2026-11-02T10:00:00.000Z');
    ahead = 0;
    const eventLog = new MemoryEventLog({ now: () => new Date(now + ahead) });
    ports = { ...memoryPorts(), eventLog };
    services = [];
    await define('Source', 'docs', { driver: 'files', files: { path: '/docs' } });
    await define('Repository', 'vault', { store: 'fs', fs: { path: '/vault' } });
    await append(
      domainEvent('collection.opened', COLLECTION, {
        source: 'docs',
        sourceUid: 'uid-docs',
        repository: 'vault',
        repositoryUid: 'uid-vault',
      }),
    );
  });
  afterEach(async () => {
    for (const service of services) await service.stop();
  });

  async function start(): Promise<void> {
    for (const instance of ['c1', 'c2'])
      services.push(
        await Service.start(testPlatform('chain-catalog', instance, ports, { now: () => now }), {
          modules: decidingModules,
        }),
      );
  }

  async function append(...events: AnyDomainEvent[]): Promise<void> {
    for (const event of events) {
      const type = event.type.slice(0, event.type.indexOf('.')) as 'run';
      const aggregate = { type, id: event.aggregateId };
      const head = await ports.eventLog.head(aggregate);
      const id = freshId();
      await appendDecided(ports.eventLog, [event], [{ aggregate, head }], {
        time: new Date(now).toISOString(),
        actor: 'person:tester',
        correlationId: id,
        causationId: id,
      });
    }
  }

  const define = (kind: DefinitionKind, name: string, spec: Record<string, unknown>, uid = `uid-${name}`) =>
    append(
      domainEvent('definition.applied', `${kind.toLowerCase()}-${name}`, {
        kind,
        name,
        uid,
        generation: 1,
        labels: {},
        spec,
      }),
    );

  /** A full that the schedule took, at the time that it is. */
  async function taken(name: string, scheduleUid = 'uid-nightly'): Promise<string> {
    now += 1_000;
    const [run, backup] = [`run-${name}`, `bkp-${name}`];
    const request = { source: 'docs', repository: 'vault', type: 'full', copyOnly: false } as const;
    const lineage = { run, backup, type: 'full', copyOnly: false, chain: backup } as const;
    await append(
      domainEvent('run.requested', run, { request: { kind: 'backup', ...request }, scheduleUid }),
      domainEvent('run.cancelled', `${run}-of-nothing`, { attempt: 0 }),
      domainEvent('collection.backup-completed', COLLECTION, {
        ...lineage,
        position: String(now),
        family: 'f',
        asOf: new Date(now).toISOString(),
        closure: [],
      }),
    );
    return backup;
  }

  async function events(...types: EventType[]): Promise<AnyRecordedEvent[]> {
    const found: AnyRecordedEvent[] = [];
    for await (const event of ports.eventLog.read({ types })) found.push(event);
    return found;
  }

  /** What became of which backup, in order, as the log has it. */
  async function decided(): Promise<string[]> {
    return (await events('collection.backup-unusable')).map(({ data }) => {
      const { backup, reason } = data as { backup: string; reason: string };
      return `${backup} ${reason}`;
    });
  }

  const prunes = async () =>
    (await events('run.requested')).filter(
      ({ data }) => (data as { request: { kind: string } }).request.kind === 'prune',
    );

  async function round(): Promise<void> {
    await Promise.all(services.map(async (service) => await service.get(RetentionService).round()));
  }

  it('append one decision, with one prune', async () => {
    await define('Schedule', 'nightly', { ...NIGHTLY, retention: { keep: { last: 1 } } });
    await taken('a');
    await start();
    now += DAY / 2;
    await taken('b');
    await eventually('a decision', async () => (await decided()).length > 0 || undefined);
    await round();
    expect(await decided()).toEqual(['bkp-a expired', 'bkp-a condemned']);
    expect(await prunes()).toMatchObject([{ data: { request: { kind: 'prune', collection: COLLECTION } } }]);
  });

  it('look once a day, and when a grace is over', async () => {
    await define('Schedule', 'nightly', { ...NIGHTLY, retention: { days: 1, grace: '3d' } });
    for (const name of ['a', 'b', 'c', 'd']) {
      await taken(name);
      now += DAY / 4;
    }
    await start();
    await round();
    expect(await decided()).toEqual([]);
    now += DAY;
    // Something was written lately, so that there is a clock to compare with.
    await append(domainEvent('run.cancelled', 'run-z', { attempt: 0 }));
    await round();
    expect(await decided()).toEqual(['bkp-a expired']);
    now += 3 * DAY + 1;
    await append(domainEvent('run.cancelled', 'run-y', { attempt: 0 }));
    await round();
    expect((await decided()).filter((one) => one.endsWith('condemned'))).toEqual(['bkp-a condemned']);
  });

  it('expire nothing while clocks disagree, and say so', async () => {
    ahead = 3 * DAY;
    await define('Schedule', 'nightly', { ...NIGHTLY, retention: { keep: { last: 1 } } });
    await taken('a');
    await taken('b');
    await start();
    await round();
    expect(await decided()).toEqual([]);
    for (const service of services)
      expect(service.get(RetentionService).heldBack()).toContain('Clocks disagree');
    ahead = 0;
    await taken('c');
    await eventually('a decision', async () => (await decided()).length > 0 || undefined);
    for (const service of services)
      await eventually(
        'nothing is held back any more',
        () => service.get(RetentionService).heldBack() === undefined || undefined,
      );
  });

  it('keep what a person or a deleted schedule took, and everything when schedules contradict each other', async () => {
    await define('Schedule', 'nightly', { ...NIGHTLY, retention: { keep: { last: 1 } } });
    await taken('a', 'uid-of-a-deleted-one');
    await taken('b');
    await define('Schedule', 'other', { ...NIGHTLY, retention: { keep: { last: 9 } } });
    await taken('c');
    await start();
    await round();
    expect(await decided()).toEqual([]);
    expect(services[0]?.get(RetentionService).heldBack()).toContain('nightly and other');
    await append(
      domainEvent('definition.deleted', 'schedule-other', {
        kind: 'Schedule',
        name: 'other',
        uid: 'uid-other',
      }),
    );
    await taken('d');
    await eventually('a decision', async () => (await decided()).length > 0 || undefined);
    await round();
    expect((await decided()).filter((one) => one.endsWith('condemned'))).toEqual([
      'bkp-b condemned',
      'bkp-c condemned',
    ]);
  });

  it('ask again the next day for what a prune could not delete', async () => {
    await define('Schedule', 'nightly', { ...NIGHTLY, retention: { keep: { last: 1 } } });
    await taken('a');
    await taken('b');
    await start();
    const [asked] = await eventually('a prune', async () => {
      const found = await prunes();
      return found.length > 0 ? found : undefined;
    });
    await eventually('its plan', async () => (await events('run.planned'))[0]);
    await append(domainEvent('run.cancelled', asked!.aggregate.id, { attempt: 0 }));
    await round();
    expect(await prunes()).toHaveLength(1);
    now += DAY;
    await round();
    expect(await prunes()).toHaveLength(2);
  });

  const vault = { uid: 'uid-vault', name: 'vault', generation: 1, spec: {} };
  const restore = { target: '/t', include: [] as string[], overwrite: false };
  const restorePlan: Omit<RunPlan & { kind: 'restore' }, 'backup'> = {
    ...restore,
    kind: 'restore',
    collection: COLLECTION,
    repository: vault,
    source: { ...vault, uid: 'uid-docs', name: 'docs' },
  };
  const verify = { kind: 'verify', depth: 'checksums' } as const;

  it.each<[string, RunRequest, (read: string) => RunPlan]>([
    [
      'a restore reads',
      { kind: 'restore', repository: 'vault', ...restore },
      (backup) => ({ ...restorePlan, backup }),
    ],
    [
      'a restore rolls forward with',
      { kind: 'restore', repository: 'vault', ...restore },
      (backup) => ({ ...restorePlan, backup: 'bkp-before', logs: [backup] }),
    ],
    [
      'is verified',
      { ...verify, repository: 'vault' },
      (backup) => ({ ...verify, repository: vault, backups: [backup] }),
    ],
  ])('let nothing go that %s, until that is over', async (_, request, planOf) => {
    await define('Schedule', 'nightly', { ...NIGHTLY, retention: { keep: { last: 1 } } });
    const plan = planOf(await taken('a'));
    await append(
      domainEvent('run.requested', 'run-r', { request }),
      domainEvent('run.planned', 'run-r', { plan }),
    );
    await taken('b');
    await taken('c');
    await start();
    await eventually('a decision', async () => (await decided()).length > 0 || undefined);
    expect(await decided()).toEqual(['bkp-b expired', 'bkp-b condemned']);
    await append(domainEvent('run.cancelled', 'run-r', { attempt: 0 }));
    await eventually('that it goes', async () => (await decided()).includes('bkp-a condemned') || undefined);
  });
});
