import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  domainEvent,
  freshId,
  type AnyDomainEvent,
  type AnyRecordedEvent,
  type RunPlan,
} from '@catena/events';
import { MemoryEventLog } from '@catena/event-log';
import { appendDecided, Service } from '@catena/service';
import { eventually, memoryPorts, testPlatform, type SharedPorts } from '@catena/service/testing';
import { decidingModules } from '../catalog-modules.ts';
import { LeftoverView } from './leftover-view.ts';
import { SweepService } from './sweep.service.ts';

const HOUR = 3_600_000;
const failure = { code: 'x.failed', message: 'Failed.', retryable: false };
const vault = {
  uid: 'uid-vault',
  name: 'vault',
  generation: 1,
  spec: { store: 'fs', fs: { path: '/vault' } },
};

describe('two catalogs that look for what runs have left', () => {
  let now: number;
  let ports: SharedPorts;
  let services: Service[];

  beforeEach(async () => {
    now = Date.parse('2026-11-02T10:00:00.000Z');
    ports = { ...memoryPorts(), eventLog: new MemoryEventLog({ now: () => new Date(now) }) };
    services = [];
    await define();
    for (const instance of ['c1', 'c2'])
      services.push(
        await Service.start(testPlatform('chain-catalog', instance, ports, { now: () => now }), {
          modules: decidingModules,
        }),
      );
  });
  afterEach(async () => {
    for (const service of services) await service.stop();
  });

  async function append(...events: AnyDomainEvent[]): Promise<void> {
    for (const event of events) {
      const type = event.type.slice(0, event.type.indexOf('.')) as 'run';
      const aggregate = { type, id: event.aggregateId };
      const id = freshId();
      await appendDecided(
        ports.eventLog,
        [event],
        [{ aggregate, head: await ports.eventLog.head(aggregate) }],
        {
          time: new Date(now).toISOString(),
          actor: 'person:tester',
          correlationId: id,
          causationId: id,
        },
      );
    }
  }

  const define = (more: object = {}) =>
    append(
      domainEvent('definition.applied', 'repository-vault', {
        ...{ kind: 'Repository', labels: {} },
        ...vault,
        spec: { ...vault.spec, ...more },
      }),
    );

  /** A backup run that is claimed so often and then fails, or is completed. */
  async function backupRun(run: string, claims: number, ends: 'fails' | 'completes'): Promise<void> {
    const plan = {
      kind: 'backup',
      collection: 'c',
      backup: `bkp-${run}`,
      type: 'full',
      copyOnly: false,
    } as const;
    const source = { ...vault, uid: 'uid-docs', name: 'docs' };
    await append(
      domainEvent('run.planned', run, { plan: { ...plan, chain: plan.backup, source, repository: vault } }),
      ...Array.from({ length: claims }, (_, index) =>
        domainEvent('run.claimed', run, { attempt: index + 1, mover: 'm1' }),
      ),
    );
    const statistics = { files: 0, bytes: 0, bytesRead: 0, bytesAdded: 0, milliseconds: 0 };
    const end = { attempt: claims, mover: 'm1' };
    await append(
      ends === 'fails'
        ? domainEvent('run.failed', run, { ...end, failure })
        : domainEvent('run.completed', run, {
            ...end,
            outcome: 'completed',
            warnings: [],
            warningCount: 0,
            statistics,
          }),
    );
  }

  async function sweeps(): Promise<AnyRecordedEvent[]> {
    const found: AnyRecordedEvent[] = [];
    for await (const event of ports.eventLog.read({ types: ['run.requested'] }))
      if (event.type === 'run.requested' && event.data.request.kind === 'sweep') found.push(event);
    return found;
  }

  async function round(): Promise<void> {
    const last = await ports.eventLog.lastSequence();
    for (const service of services) {
      await service.get(LeftoverView).reached(last);
      await service.get(SweepService).round();
    }
  }

  const planOf = (run: string): Promise<RunPlan> =>
    eventually('its plan', async () => {
      for await (const event of ports.eventLog.read({ aggregate: { type: 'run', id: run } }))
        if (event.type === 'run.planned') return event.data.plan;
      return undefined;
    });

  it('ask once for a sweep, a day after a run failed', async () => {
    await backupRun('run-a', 1, 'fails');
    now += 23 * HOUR;
    await round();
    expect(await sweeps()).toEqual([]);
    now += HOUR;
    await round();
    await round();
    const asked = await sweeps();
    expect(asked).toMatchObject([
      { data: { request: { kind: 'sweep', repository: 'vault', dryRun: false } } },
    ]);
    expect(await planOf(asked[0]!.aggregate.id)).toMatchObject({ kind: 'sweep', grace: 24 * HOUR });
    now += 24 * HOUR;
    await round();
    expect(await sweeps()).toHaveLength(1);
  });

  it('ask for one when an attempt was taken over, and for none when nothing ever went wrong', async () => {
    await backupRun('run-a', 1, 'completes');
    now += 48 * HOUR;
    await round();
    expect(await sweeps()).toEqual([]);
    await backupRun('run-b', 2, 'completes');
    now += 24 * HOUR;
    await round();
    expect(await sweeps()).toHaveLength(1);
  });

  it('ask again for what was too young for a sweep, and when a sweep itself failed', async () => {
    await backupRun('run-a', 1, 'fails');
    now += 20 * HOUR;
    await backupRun('run-b', 1, 'fails');
    now += 4 * HOUR;
    await round();
    const [first] = await sweeps();
    await planOf(first!.aggregate.id);
    now += 20 * HOUR;
    await round();
    expect(await sweeps()).toHaveLength(2);
    await planOf((await sweeps())[1]!.aggregate.id);
    await append(domainEvent('run.failed', first!.aggregate.id, { attempt: 1, mover: 'm1', failure }));
    now += 24 * HOUR;
    await round();
    expect(await sweeps()).toHaveLength(3);
  });

  it('ask for none where nothing may be deleted, until it may', async () => {
    await define({ access: 'appendOnly' });
    await backupRun('run-a', 1, 'fails');
    now += 48 * HOUR;
    await round();
    expect(await sweeps()).toEqual([]);
    await define();
    await round();
    expect(await sweeps()).toHaveLength(1);
  });
});
