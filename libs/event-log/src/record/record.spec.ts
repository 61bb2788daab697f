import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { claimsOf, pauseOf, runRef } from '../testing/sample-events.ts';
import { ChainCheck } from './chain-check.ts';
import { decodeEvent, storedEventId } from './decode-event.ts';
import { encodeEvent } from './encode-event.ts';
import { eventHash } from './event-hash.ts';
import { GapCheck } from './gap-check.ts';
import { decodeHeaderValue, encodeHeaderValue } from './header-value.ts';
import { restoredEvent } from './restored-event.ts';
import type { StoredEvent } from './stored-event.ts';

const storedAt = '2026-03-01T12:00:01.000Z';

function stored(change: Partial<StoredEvent> = {}): StoredEvent {
  const [event] = pauseOf('sch-1');
  if (!event) throw new Error('no sample');
  return { sequence: 7, storedAt, ...encodeEvent(event, ''), ...change };
}

function withHeader(event: StoredEvent, name: string, value: string | undefined): StoredEvent {
  const others = event.headers.filter(([there]) => there !== name);
  return { ...event, headers: value === undefined ? others : [...others, [name, value]] };
}

describe('a stored event', () => {
  it('is a CloudEvents 1.0 message in binary mode', () => {
    expect(Object.fromEntries(stored().headers)).toMatchObject({
      'ce-specversion': '1.0',
      'ce-source': '/catena',
      'ce-type': 'schedule.paused',
      'ce-subject': 'schedule/sch-1',
      'ce-time': '2026-03-01T12:00:00.000Z',
      'ce-datacontenttype': 'application/json',
      'ce-schemaversion': '1',
      'ce-actor': 'person:Zo%C3%AB%20O%E2%80%99Hara',
    });
    expect(stored().subject).toBe('catena.events.schedule.sch-1.paused');
    expect(JSON.parse(Buffer.from(stored().data).toString())).toEqual({
      schedule: 'nightly',
      reason: 'maintenance',
    });
  });

  it('reads back as it was', () => {
    expect(decodeEvent(stored())).toEqual({
      ...pauseOf('sch-1')[0],
      ...{ sequence: 7, recordedAt: storedAt, previousHash: '', hash: eventHash(stored()) },
    });
    expect(storedEventId(stored())).toBe(pauseOf('sch-1')[0]?.id);
  });

  it('keeps its hash whatever the order of its headers and wherever it was stored', () => {
    const hash = eventHash(stored());
    expect(eventHash(stored({ headers: [...stored().headers].reverse() }))).toBe(hash);
    expect(eventHash(restoredEvent(stored({ sequence: 9 })))).toBe(hash);
    const restored = restoredEvent(stored());
    expect(decodeEvent({ ...restored, storedAt: '2030-01-01T00:00:00.000Z' }).recordedAt).toBe(storedAt);
    expect(restoredEvent(restored)).toBe(restored);
  });

  it('has another hash when anything of it is changed', () => {
    const hashes = [
      stored(),
      stored({ subject: 'catena.events.schedule.sch-2.paused' }),
      stored({ data: Buffer.from('{}') }),
      withHeader(stored(), 'Catena-Previous', 'x'),
      ...stored().headers.map(([name]) => withHeader(stored(), name, 'other')),
      withHeader(stored(), 'ce-more', ''),
    ].map(eventHash);
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it.each<[string, StoredEvent, RegExp]>([
    ['data that is not JSON', stored({ data: Buffer.from('{') }), /JSON/],
    ['data that breaks its schema', stored({ data: Buffer.from('{"schedule":5}') }), /schedule/],
    [
      'a type this build does not know',
      stored({ subject: 'catena.events.schedule.sch-1.sung' }),
      /unlike its subject/,
    ],
    [
      'a subject that is not the log’s',
      stored({ subject: 'catena.jobs.a.b' }),
      /not a subject of the event log/,
    ],
    ['a newer version', withHeader(stored(), 'ce-schemaversion', '2'), /knows versions up to 1/],
    ['a version that is none', withHeader(stored(), 'ce-schemaversion', 'one'), /not a positive integer/],
    ['no id', withHeader(stored(), 'ce-id', undefined), /no header "ce-id"/],
    ['a value that is not encoded', withHeader(stored(), 'ce-actor', '%E0%A4%A'), /malformed/],
  ])('stops its reader, who is told the sequence: %s', (_, event, why) => {
    const read = () => decodeEvent(event);
    expect(read).toThrow(why);
    expect(read).toThrow(expect.objectContaining({ code: 'event-log.unreadable-event', sequence: 7 }));
  });
});

describe('header values', () => {
  it('carry any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 0 }), (text) => {
        const value = encodeHeaderValue(text);
        expect(value).toMatch(/^[!-~]*$/);
        expect(decodeHeaderValue(value)).toBe(text);
      }),
    );
  });
});

describe('the hash chain', () => {
  const links = (run: string, count: number) => {
    let previousHash = '';
    return claimsOf(run, count).map((event, index) => {
      const { hash } = encodeEvent(event, previousHash);
      const link = { sequence: index + 1, aggregate: runRef(run), previousHash, hash };
      previousHash = hash;
      return link;
    });
  };

  it('breaks at an event that was left out, swapped, doubled or put in', () => {
    const [a, b, c] = links('run-a', 3);
    if (!a || !b || !c) throw new Error('no sample');
    const broken: [(typeof a)[], number][] = [
      [[a, c], 3],
      [[b, c], 2],
      [[a, c, b], 3],
      [[a, a], 1],
      [[a, { ...b, hash: 'else' }, c], 3],
    ];
    for (const [order, sequence] of broken) {
      const chain = new ChainCheck({ complete: true });
      const walk = () => order.forEach((link) => chain.accept(link));
      expect(walk).toThrow(expect.objectContaining({ code: 'event-log.chain-broken', sequence }));
    }
    const chain = new ChainCheck({ complete: true });
    for (const link of [a, ...links('run-b', 3), b, c]) chain.accept(link);
    expect(chain.aggregates).toBe(2);
  });

  it('is taken up in the middle when reading begins there', () => {
    const [, b, c] = links('run-a', 3);
    if (!b || !c) throw new Error('no sample');
    const chain = new ChainCheck({ complete: false });
    chain.accept(b);
    chain.accept(c);
    expect(() => chain.accept(b)).toThrow('does not follow');
  });

  it('forgets the aggregates seen longest ago and refuses nothing wrongly for it', () => {
    const chain = new ChainCheck({ complete: true, limit: 2 });
    const runs = ['run-a', 'run-b', 'run-c'].map((run) => links(run, 2));
    for (const [first] of runs) if (first) chain.accept(first);
    for (const [, second] of runs) if (second) chain.accept(second);
    expect(chain.aggregates).toBe(2);
    const last = runs[2]?.[1];
    if (last) expect(() => chain.accept({ ...last, sequence: 9 })).toThrow('does not follow');
  });
});

describe('the sequences of a log', () => {
  it('have no gap', () => {
    const gaps = new GapCheck(3);
    gaps.accept(3);
    gaps.accept(4);
    expect(() => gaps.accept(7)).toThrow('The log has no events 5 to 6.');
    gaps.accept(8);
    expect(() => gaps.accept(8)).toThrow(expect.objectContaining({ code: 'event-log.gap' }));
  });
});
