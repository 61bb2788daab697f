import type { StoredMsg } from '@nats-io/jetstream';
import type { DeadLetter, DeadLetterKey, DeadLetters } from '../port/dead-letters.ts';
import { noDeadLetter } from '../port/no-dead-letter.ts';
import type { NatsLink } from './nats-link.ts';
import { pullBatches } from './pull-events.ts';
import { DEAD_LETTER_SUBJECT_ROOT, DEAD_LETTERS_STREAM, REDELIVERY_SUBJECT_ROOT } from './stream-settings.ts';
import { withPatience } from './with-patience.ts';

/** Dead letters as messages of a stream of their own, one subject for each subscriber and event. */
export class JetStreamDeadLetters implements DeadLetters {
  readonly #link: NatsLink;

  constructor(link: NatsLink) {
    this.#link = link;
  }

  async list(filter: { consumer?: string } = {}): Promise<readonly DeadLetter[]> {
    const letters: DeadLetter[] = [];
    const filters = [subjectOf(filter.consumer ?? '*', '*')];
    const batches = pullBatches(this.#link, {
      stream: DEAD_LETTERS_STREAM,
      ...{ from: 1, filters, batch: 500, untilEnd: true },
    });
    for await (const batch of batches) letters.push(...batch.map((message) => message.json<DeadLetter>()));
    return letters;
  }

  async count(filter: { consumer?: string } = {}): Promise<number> {
    const { streams } = await this.#link.manager();
    return await withPatience(this.#link, 'counting dead letters', async () => {
      const subjects = subjectOf(filter.consumer ?? '*', '*');
      const info = await streams.info(DEAD_LETTERS_STREAM, { subjects_filter: subjects });
      return Object.keys(info.state.subjects ?? {}).length;
    });
  }

  /** Puts a letter down; another one of the same subscriber and event is replaced. */
  async bury(letter: DeadLetter): Promise<void> {
    await withPatience(this.#link, 'writing a dead letter', () =>
      this.#link.js.publish(subjectOf(letter.consumer, letter.sequence), JSON.stringify(letter)),
    );
  }

  async redeliver(key: DeadLetterKey): Promise<void> {
    const letter = await this.#find(key);
    const subject = `${REDELIVERY_SUBJECT_ROOT}.${key.consumer}.${key.sequence}`;
    await withPatience(this.#link, 'asking for a redelivery', () => this.#link.js.publish(subject));
    await this.#remove(letter);
  }

  async discard(key: DeadLetterKey): Promise<void> {
    await this.#remove(await this.#find(key));
  }

  async #find(key: DeadLetterKey): Promise<StoredMsg> {
    const { streams } = await this.#link.manager();
    const letter = await withPatience(this.#link, 'looking for a dead letter', () =>
      streams.getMessage(DEAD_LETTERS_STREAM, { last_by_subj: subjectOf(key.consumer, key.sequence) }),
    );
    if (!letter) throw noDeadLetter(key);
    return letter;
  }

  async #remove(letter: StoredMsg): Promise<void> {
    const { streams } = await this.#link.manager();
    await withPatience(this.#link, 'removing a dead letter', () =>
      streams.deleteMessage(DEAD_LETTERS_STREAM, letter.seq, false),
    );
  }
}

function subjectOf(consumer: string, sequence: number | '*'): string {
  return `${DEAD_LETTER_SUBJECT_ROOT}.${consumer}.${sequence}`;
}
