import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  catalogRequests,
  collectionIdOf,
  domainEvent,
  freshId,
  reply,
  requestSubject,
  type AnyDomainEvent,
} from '@catena/events';
import { appendDecided, Service } from '@catena/service';
import { memoryPorts, testPlatform, type SharedPorts } from '@catena/service/testing';
import { FamilyModule } from './family.module.ts';

const collection = collectionIdOf('uid-docs', 'uid-vault');

describe('accepting what is at the address of a source now', () => {
  let ports: SharedPorts;
  let service: Service;

  beforeEach(async () => {
    ports = memoryPorts();
    service = await Service.start(testPlatform('chain-catalog', 'c1', ports), { modules: [FamilyModule] });
    for (const [kind, name] of [
      ['Source', 'docs'],
      ['Repository', 'vault'],
    ] as const)
      await append(
        domainEvent('definition.applied', `${kind.toLowerCase()}-${name}`, {
          ...{ kind, name, uid: `uid-${name}`, generation: 1, labels: {}, spec: {} },
        }),
      );
  });
  afterEach(() => service.stop());

  async function append(event: AnyDomainEvent): Promise<void> {
    const type = event.type.slice(0, event.type.indexOf('.')) as 'collection';
    const aggregate = { type, id: event.aggregateId };
    const head = await ports.eventLog.head(aggregate);
    const id = freshId();
    const context = { time: new Date().toISOString(), actor: 'person:tester', correlationId: id };
    await appendDecided(ports.eventLog, [event], [{ aggregate, head }], { ...context, causationId: id });
  }

  async function accept(family: string, source = 'docs') {
    const command = { commandId: freshId(), actor: 'person:ada', source, repository: 'vault', family };
    const subject = requestSubject(catalogRequests.acceptFamily);
    return reply.parse(await ports.messages.ask(subject, command));
  }

  async function accepted() {
    const found = [];
    for await (const event of ports.eventLog.read({ types: ['collection.family-accepted'] }))
      found.push({ collection: event.aggregate.id, actor: event.actor, data: event.data });
    return found;
  }

  it('is remembered once, with who said it', async () => {
    await append(
      domainEvent('collection.opened', collection, {
        ...{ source: 'docs', sourceUid: 'uid-docs', repository: 'vault', repositoryUid: 'uid-vault' },
      }),
    );
    expect(await accept('fs-2')).toMatchObject({ ok: true, result: { changed: true } });
    expect(await accept('fs-2')).toMatchObject({ ok: true, result: { changed: false } });
    expect(await accepted()).toEqual([{ collection, actor: 'person:ada', data: { family: 'fs-2' } }]);
  });

  it('is refused where there is no chain that it could differ from, and for what is not defined', async () => {
    expect(await accept('fs-2')).toMatchObject({ ok: false, error: { code: 'catalog.nothing-to-accept' } });
    expect(await accept('fs-2', 'mail')).toMatchObject({
      ok: false,
      error: { code: 'definition.unknown', message: expect.stringContaining('mail') as unknown },
    });
    expect(await accepted()).toEqual([]);
  });
});
