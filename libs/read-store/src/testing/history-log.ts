import type { AnyRecordedEvent } from '@catena/events';
import { MemoryEventLog } from '@catena/event-log';

/** A log in memory that a history is appended to, event by event, at the log times it has. */
export class HistoryLog extends MemoryEventLog {
  readonly #time: { now: string };

  constructor() {
    const time = { now: '1970-01-01T00:00:00.000Z' };
    super({ now: () => new Date(time.now) });
    this.#time = time;
  }

  /** Appends as many events of a history as wanted; all of them when nobody says. Sequences are those of the history. */
  async take(history: Iterator<AnyRecordedEvent>, count = Infinity): Promise<void> {
    for (let taken = 0; taken < count; taken++) {
      const next = history.next();
      if (next.done === true) return;
      const { sequence: _sequence, recordedAt, previousHash: _previous, hash: _hash, ...event } = next.value;
      this.#time.now = recordedAt;
      const expected = await this.head(event.aggregate);
      await this.append([{ aggregate: event.aggregate, expected, events: [event] }]);
    }
  }
}
