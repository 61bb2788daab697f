import type { AnyRecordedEvent } from '@catena/events';
import type { EventLog } from '@catena/event-log';
import { EVENT_LOG } from '@catena/service';
import { Inject, Injectable } from '@nestjs/common';
import { Histories } from '../history/histories.ts';
import { LogView } from '../log-view/log-view.ts';

/** Finds the source that an event concerns, for subscriptions that name sources. */
@Injectable()
export class SourceOfEvent {
  constructor(
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(Histories) private readonly histories: Histories,
    @Inject(LogView) private readonly view: LogView,
  ) {}

  /** The source's name; nothing for events that concern no single source. */
  async find(event: AnyRecordedEvent): Promise<string | undefined> {
    const { type, id } = event.aggregate;
    switch (type) {
      case 'run':
        return await this.#ofRun(id);
      case 'collection':
        return (await this.histories.collections.load(id)).state.place?.source;
      case 'backup':
        return await this.#ofBackup(id);
      case 'definition':
        return event.type === 'definition.applied' && event.data.kind === 'Source'
          ? event.data.name
          : undefined;
      case 'schedule':
        return this.#ofSchedule(event.data);
      case 'repository':
      case 'limits':
        return undefined;
    }
  }

  async #ofRun(run: string): Promise<string | undefined> {
    const { request, plan } = (await this.histories.runs.load(run)).state;
    if (request?.kind === 'backup' || request?.kind === 'compose') return request.source;
    return plan?.kind === 'restore' ? plan.source.name : undefined;
  }

  async #ofBackup(id: string): Promise<string | undefined> {
    const types = ['backup.completed', 'backup.found'] as const;
    for await (const event of this.log.read({ aggregate: { type: 'backup', id }, types }))
      if (event.type === 'backup.completed' || event.type === 'backup.found') return event.data.source;
    return undefined;
  }

  #ofSchedule(data: object): string | undefined {
    if (!('schedule' in data) || typeof data.schedule !== 'string') return undefined;
    const source = this.view.definition('Schedule', data.schedule)?.spec['source'];
    return typeof source === 'string' ? source : undefined;
  }
}
