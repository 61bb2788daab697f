import type { EventLog } from '@catena/event-log';
import { EVENT_LOG } from '@catena/service';
import { Inject, Injectable } from '@nestjs/common';

/** What the log knows of a repository. */
export interface KnownRepository {
  /** A mover has made it, and has said so. */
  readonly initialised: boolean;
  /** That its own document has; absent when that was not recorded yet at the time. */
  readonly id?: string | undefined;
}

/** Repositories as the log has them. */
@Injectable()
export class KnownRepositories {
  constructor(@Inject(EVENT_LOG) private readonly log: EventLog) {}

  /** @param uid of the Repository definition */
  async load(uid: string): Promise<KnownRepository> {
    const aggregate = { type: 'repository', id: uid } as const;
    for await (const event of this.log.read({ aggregate, types: ['repository.initialised'] }))
      if (event.type === 'repository.initialised') return { initialised: true, id: event.data.id };
    return { initialised: false };
  }
}
