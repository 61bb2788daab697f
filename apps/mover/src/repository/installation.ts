import type { EventLog } from '@catena/event-log';
import { EVENT_LOG } from '@catena/service';
import { Inject, Injectable, Optional } from '@nestjs/common';

/** Injection token of a name that an operator gave this installation. */
export const INSTALLATION_NAME = Symbol('InstallationName');

/** Who owns the repositories that are made here: only the owner sweeps and prunes. */
@Injectable()
export class Installation {
  readonly #log: EventLog;
  readonly #name: string | undefined;

  constructor(@Inject(EVENT_LOG) log: EventLog, @Optional() @Inject(INSTALLATION_NAME) name?: string) {
    this.#log = log;
    this.#name = name;
  }

  /** The name it was given, or else the log's first event: the same for all that read this log, also after an import. */
  async id(): Promise<string> {
    if (this.#name !== undefined) return this.#name;
    for await (const event of this.#log.read({ to: 1 })) return `log-${event.id}`;
    throw new Error('The log is empty, so no run can have been planned.');
  }
}
