import { digestId, stamp, type AnyDomainEvent, type AnyRecordedEvent } from '@catena/events';
import type { SeededRandom } from './seeded-random.ts';

/** Plays the log: gives decided events sequence, log time and hashes. Its clock now and then steps back. */
export class Recorder {
  readonly #random: SeededRandom;
  readonly #heads = new Map<string, string>();
  #sequence = 0;
  #clock = Date.parse('2026-01-01T00:00:00.000Z');

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** The instant of the next decision, later than the one before. */
  get now(): string {
    return this.instant(0);
  }

  /** An instant that many milliseconds from now. */
  instant(milliseconds: number): string {
    return new Date(this.#clock + milliseconds).toISOString();
  }

  /** Records what one decision appended; time goes on. */
  append(events: readonly AnyDomainEvent[], actor: string, correlationId: string): AnyRecordedEvent[] {
    this.#clock += this.#random.between(1, 20_000);
    const recordedAt = this.instant(this.#random.chance(0.03) ? -this.#random.between(1, 90_000) : 2);
    const causationId = digestId('cause', String(this.#sequence));
    return stamp(events, { time: this.now, actor, correlationId, causationId }).map((event) => {
      const aggregate = `${event.aggregate.type}.${event.aggregate.id}`;
      const previousHash = this.#heads.get(aggregate) ?? '';
      const hash = digestId(event.id, previousHash);
      this.#heads.set(aggregate, hash);
      return { ...event, sequence: ++this.#sequence, recordedAt, previousHash, hash };
    });
  }

  /** Nothing more will happen to it. */
  forget(aggregateType: string, id: string): void {
    this.#heads.delete(`${aggregateType}.${id}`);
  }
}
