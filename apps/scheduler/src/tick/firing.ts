import type { AnyDomainEvent, EventContext } from '@catena/events';
import type { AggregateHead } from '@catena/event-log';
import { decideTick } from '@catena/schedule';
import type { ExpectedHead } from '@catena/service';
import type { ScheduleBook } from '../schedule-book/schedule-book.ts';

/** An append holds at most a thousand messages; most schedules need two. */
const EVENTS_PER_APPEND = 900;

/** What several schedules do at one instant, decided upon together: one append. */
export interface Firing {
  /** The schedules that it has events of. */
  readonly names: readonly string[];
  readonly at: string;
  readonly events: readonly AnyDomainEvent[];
  /** Where the schedules of the events stand, by uid. */
  readonly heads: ReadonlyMap<string, AggregateHead>;
}

export interface Decided {
  readonly firing: Firing;
  /** What looked due and is not, by what was read meanwhile. */
  readonly undue: readonly string[];
  /** What did not fit into the append. */
  readonly left: readonly string[];
}

/** Decides upon as many schedules as fit into one append. */
export function decideFiring(book: ScheduleBook, names: readonly string[], at: string): Decided {
  const events: AnyDomainEvent[] = [];
  const heads = new Map<string, AggregateHead>();
  const firing: string[] = [];
  const undue: string[] = [];
  let taken = 0;
  for (const name of names) {
    const booked = book.schedule(name);
    const decided = booked ? decideTick(booked.state, booked.live, booked.knowledge, at) : [];
    if (taken > 0 && events.length + decided.length > EVENTS_PER_APPEND) break;
    taken += 1;
    if (!booked) continue;
    if (decided.length === 0) {
      undue.push(name);
      continue;
    }
    firing.push(name);
    events.push(...decided);
    heads.set(booked.live.uid, booked.head);
  }
  return { firing: { names: firing, at, events, heads }, undue, left: names.slice(taken) };
}

export function expectedBy({ heads }: Firing): ExpectedHead[] {
  return [...heads].map(([id, head]) => ({ aggregate: { type: 'schedule', id }, head }));
}

/** Who fires, and what led to it: the schedule as it stood. */
export function contextOf({ at, heads }: Firing, event: AnyDomainEvent, actor: string): EventContext {
  const uid = event.type === 'run.requested' ? (event.data.scheduleUid ?? '') : event.aggregateId;
  const cause = `due/${uid}/${heads.get(uid)?.sequence ?? 0}`;
  const run =
    event.type === 'run.requested'
      ? event.aggregateId
      : event.type === 'schedule.fired'
        ? event.data.run
        : cause;
  return { time: at, actor, correlationId: run, causationId: cause };
}
