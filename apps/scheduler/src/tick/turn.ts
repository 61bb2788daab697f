import type { Messages } from '@catena/event-log';
import { BackgroundWork, MESSAGES, pause, ServiceIdentity } from '@catena/service';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { z } from 'zod';

const SUBJECT = 'catena.schedulers.alive';
const alive = z.object({ instance: z.string(), leaves: z.boolean() });

const SAY_MILLISECONDS = 500;
/** Who says nothing for this long is taken for gone. */
const SILENCE_MILLISECONDS = 2_000;

/**
 * Whose turn it is to fire, of several schedulers: the first by name of those that are heard. It only saves the others
 * the work of deciding what has been decided; nothing rests on it, because the log lets one win whoever fires. It goes
 * by what is heard and a clock that never jumps, not by the time of day.
 */
@Injectable()
export class Turn implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #heard = new Map<string, number>();
  #listening: { stop(): void } | undefined;

  constructor(
    @Inject(MESSAGES) private readonly messages: Messages,
    @Inject(ServiceIdentity) private readonly identity: ServiceIdentity,
    @Inject(BackgroundWork) private readonly work: BackgroundWork,
  ) {}

  onApplicationBootstrap(): void {
    this.#listening = this.messages.listen(SUBJECT, (payload) => {
      const said = alive.safeParse(payload);
      if (!said.success) return;
      if (said.data.leaves) this.#heard.delete(said.data.instance);
      else this.#heard.set(said.data.instance, performance.now());
    });
    this.work.start('turn', async (signal, healthy) => {
      while (!signal.aborted) {
        this.#say(false);
        healthy();
        await pause(SAY_MILLISECONDS, signal);
      }
      this.#say(true);
    });
  }

  onModuleDestroy(): void {
    this.#listening?.stop();
  }

  /** Whether nobody else is known who fires before this one. */
  isOurs(): boolean {
    const since = performance.now() - SILENCE_MILLISECONDS;
    const { instance } = this.identity;
    return ![...this.#heard].some(([other, at]) => at >= since && other < instance);
  }

  #say(leaves: boolean): void {
    this.messages.notify(SUBJECT, { instance: this.identity.instance, leaves });
  }
}
