import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { commandedRunId, domainEvent, freshId, type AnyDomainEvent, type RunPlan } from '@catena/events';
import { appendDecided, Service } from '@catena/service';
import {
  eventually,
  memoryPorts,
  testPlatform,
  type SharedPorts,
  type TestPlatform,
} from '@catena/service/testing';
import { decidingModules } from '../catalog-modules.ts';
import { CatalogFollower } from './catalog-follower.ts';

const NOW = Date.parse('2026-11-02T10:00:00.000Z');

describe('a chain catalog that begins with the snapshot of another', () => {
  let ports: SharedPorts;
  let running: Service | undefined;
  beforeEach(() => {
    ports = memoryPorts();
  });
  afterEach(() => running?.stop());

  async function startCatalog(instance: string): Promise<TestPlatform> {
    const platform = testPlatform('chain-catalog', instance, ports, { now: () => NOW });
    running = await Service.start(platform, { modules: decidingModules });
    return platform;
  }

  async function append(event: AnyDomainEvent): Promise<void> {
    const type = event.type.slice(0, event.type.indexOf('.')) as 'run';
    const aggregate = { type, id: event.aggregateId };
    const head = await ports.eventLog.head(aggregate);
    const id = freshId();
    await appendDecided(ports.eventLog, [event], [{ aggregate, head }], {
      time: new Date(NOW).toISOString(),
      actor: 'person:tester',
      correlationId: id,
      causationId: id,
    });
  }

  const define = (kind: 'Source' | 'Repository', name: string, spec: Record<string, unknown>) =>
    append(
      domainEvent('definition.applied', `${kind.toLowerCase()}-${name}`, {
        ...{ kind, name, uid: `uid-${name}`, generation: 1, labels: {}, spec },
      }),
    );

  async function backup(copyOnly: boolean): Promise<string> {
    const run = commandedRunId(freshId());
    const wish = { kind: 'backup', source: 'docs', repository: 'vault', type: 'full', copyOnly } as const;
    await append(domainEvent('run.requested', run, { request: wish }));
    return run;
  }

  const planOf = (run: string): Promise<RunPlan> =>
    eventually(`the plan of ${run}`, async () => {
      for await (const event of ports.eventLog.read({ aggregate: { type: 'run', id: run } }))
        if (event.type === 'run.planned') return event.data.plan;
      return undefined;
    });

  it('knows what was defined before it, and the runs that are not over', async () => {
    await startCatalog('c1');
    await define('Source', 'docs', { driver: 'files', files: { path: '/docs' } });
    await define('Repository', 'vault', { store: 'fs', fs: { path: '/vault' } });
    const first = await backup(false);
    await planOf(first);
    const follower = running!.get(CatalogFollower);
    await follower.current();
    await follower.saveSnapshot();
    await running!.stop();

    // The one that is planned already keeps the next of its collection waiting; a copy-only one runs beside it.
    const [waits, beside] = [await backup(false), await backup(true)];
    const { lines } = await startCatalog('c2');
    expect(await planOf(beside)).toMatchObject({
      kind: 'backup',
      source: { uid: 'uid-docs' },
      copyOnly: true,
    });
    const begun = lines.find(({ message }) => message === 'the start begins with the snapshot');
    expect(begun).toMatchObject({ through: expect.any(Number) });
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
    const said = await eventually('why the other waits', async () => {
      for await (const event of ports.eventLog.read({ aggregate: { type: 'run', id: waits } }))
        if (event.type === 'run.waiting') return event.data;
      return undefined;
    });
    expect(JSON.stringify(said)).toContain(first);
  });
});
