import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  aggregateTypeOf,
  collectionIdOf,
  definitionId,
  domainEvent,
  type AnyDomainEvent,
  type AnyRecordedEvent,
} from '@catena/events';
import { decideTick, pauseSchedule, resumeSchedule } from '@catena/schedule';
import fc from 'fast-check';
import { bookFold, pagesOf, type BookPage } from './book-pages.ts';
import { Book, definedIn } from './book.ts';

const START = Date.parse('2026-03-01T00:00:00.000Z');
const NAMES = ['a', 'b', 'c', 'd'];
const RHYTHMS = [
  { full: '@hourly' },
  { full: '@daily', incremental: '*/20 * * * *' },
  { full: '@daily', log: '*/5 * * * *', onPreviousRunning: 'cancelPrevious' },
  { full: '0 3 * * *', copyOnly: { cron: '@hourly', onPreviousRunning: 'start' }, after: 'a' },
];

const step = fc.record({
  what: fc.constantFrom(
    'define',
    'delete',
    'tick',
    'tick',
    'tick',
    'over',
    'full',
    'damage',
    'pause',
    'resume',
  ),
  which: fc.nat(50),
  minutes: fc.integer({ min: 1, max: 180 }),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** A history in which a book decides upon what comes next, as a scheduler does. */
class History {
  readonly events: AnyRecordedEvent[] = [];
  readonly #book = emptyBook();
  #now = START;

  constructor(steps: readonly Step[]) {
    for (const kind of ['Source', 'Repository'] as const)
      this.#record([applied(kind, kind === 'Source' ? 's' : 'r', `${kind}-uid`, { any: 'spec' })]);
    for (const one of steps) this.#take(one);
  }

  #take({ what, which, minutes }: Step): void {
    this.#now += minutes * 60_000;
    const now = new Date(this.#now).toISOString();
    const name = NAMES[which % NAMES.length] ?? 'a';
    const booked = this.#book.schedule(name);
    const [first, ...others] = this.#book.runs.open();
    const run = others[which] ?? first;
    const collection = collectionIdOf('Source-uid', 'Repository-uid');
    switch (what) {
      case 'define': {
        const spec = { source: 's', repository: 'r', ...RHYTHMS[(which + minutes) % RHYTHMS.length] };
        const { state } = this.#book.definition('Schedule', name);
        const uid = state && !state.deleted ? state.uid : `sch-${name}-${this.events.length}`;
        return this.#record([applied('Schedule', name, uid, spec)]);
      }
      case 'delete':
        if (booked)
          this.#record([
            domainEvent('definition.deleted', definitionId('Schedule', name), {
              ...{ kind: 'Schedule', name, uid: booked.live.uid },
            }),
          ]);
        return;
      case 'tick':
        for (const one of this.#book.live.names()) {
          const { live, state, knowledge } = this.#book.schedule(one) ?? {};
          if (live && state && knowledge) this.#record(decideTick(state, live, knowledge, now));
        }
        return;
      case 'over':
        if (run)
          this.#record([
            which % 3 === 0
              ? domainEvent('run.cancelled', run.run, { attempt: 1 })
              : domainEvent('run.failed', run.run, {
                  attempts: 1,
                  error: { code: 'x', message: 'x', retryable: false },
                } as never),
          ]);
        return;
      case 'full':
        return this.#record([
          domainEvent('collection.backup-completed', collection, {
            ...{ backup: `b${which}`, type: 'full', copyOnly: false },
          } as never),
        ]);
      case 'damage':
        return this.#record([
          domainEvent('collection.backup-unusable', collection, { backup: `b${which}` } as never),
        ]);
      case 'pause':
        if (booked) this.#record(pauseSchedule(booked.state, booked.live, 'to see'));
        return;
      case 'resume':
        if (booked) this.#record(resumeSchedule(booked.state, booked.live, booked.knowledge, now));
    }
  }

  #record(events: readonly AnyDomainEvent[]): void {
    for (const { type, aggregateId, data } of events) {
      const sequence = this.events.length + 1;
      const event = {
        ...{ type, data, sequence, time: new Date(this.#now).toISOString(), hash: `hash ${sequence}` },
        aggregate: { type: aggregateTypeOf(type), id: aggregateId },
      } as AnyRecordedEvent;
      this.events.push(event);
      this.#book.apply(event);
    }
  }
}

function applied(kind: 'Source' | 'Repository' | 'Schedule', name: string, uid: string, spec: object) {
  return domainEvent('definition.applied', definitionId(kind, name), {
    ...{ kind, name, uid, generation: 1, labels: {} },
    spec: spec as never,
  });
}

function emptyBook(): Book {
  return new Book((definition, error) => {
    throw new Error(definition, { cause: error });
  });
}

function bookOf(events: readonly AnyRecordedEvent[], begin = emptyBook()): Book {
  for (const event of events) begin.apply(event);
  return begin;
}

/** As a snapshot stores it. */
function written(book: Book): BookPage[] {
  return JSON.parse(JSON.stringify([...pagesOf(book.capture())])) as BookPage[];
}

function restored(pages: readonly BookPage[]): Book {
  const book = emptyBook();
  for (const page of pages) book.restore(page);
  return book;
}

/** Everything that can be asked of a book. */
function answersOf(book: Book) {
  return {
    definitions: definedIn(book),
    heads: NAMES.map((name) => book.definition('Schedule', name).head),
    names: book.live.names().sort(),
    schedules: NAMES.map((name) => book.schedule(name)),
    open: [...book.runs.open()],
    outcomes: NAMES.map((name) => book.runs.outcomesOf(book.live.uidOf(name) ?? '')),
    cancelling: book
      .cancelling()
      .map(({ live }) => live.name)
      .sort(),
    repositories: book.repositoriesOf('s'),
  };
}

describe('a book that begins with a snapshot', () => {
  it('is the book of the whole log, wherever the snapshot was made', () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 5, maxLength: 60 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (steps, part) => {
          const { events } = new History(steps);
          const cut = Math.floor(events.length * part);
          const whole = bookOf(events);
          const later = bookOf(events.slice(cut), restored(written(bookOf(events.slice(0, cut)))));
          expect(answersOf(later)).toEqual(answersOf(whole));
          expect(written(later)).toEqual(written(whole));
        },
      ),
      { seed: 6, numRuns: 150 },
    );
  });

  it('does not change while it is written', () => {
    const { events } = new History(
      fc.sample(fc.array(step, { minLength: 60, maxLength: 60 }), { seed: 7, numRuns: 1 })[0] ?? [],
    );
    const half = Math.floor(events.length / 2);
    const book = bookOf(events.slice(0, half));
    const before = written(book);
    const pages = pagesOf(book.capture());
    bookOf(events.slice(half), book);
    expect(JSON.parse(JSON.stringify([...pages]))).toEqual(before);
  });

  it('is of a version that says how it is written: whoever changes it raises bookFold.version', () => {
    const steps: Step[] = Array.from({ length: 40 }, (_, index) => ({
      what: (
        ['define', 'tick', 'full', 'tick', 'over', 'pause', 'tick', 'resume', 'damage', 'delete'] as const
      )[(index * 7) % 10]!,
      which: index,
      minutes: 30 + index,
    }));
    const text = JSON.stringify(written(bookOf(new History(steps).events)));
    const digest = createHash('sha256').update(text).digest('hex').slice(0, 16);
    expect({ version: bookFold.version, digest }).toEqual({ version: 1, digest: 'cc1bba7f74e21c2c' });
  });
});
