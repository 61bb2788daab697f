import { freshId, type AggregateRef } from '@catena/events';
import { z } from 'zod';
import type { AggregateHead, EventLog } from '../port/event-log.ts';
import type { Snapshots } from './load-aggregate.ts';

/** What a paged snapshot is of, and the fold that made it. */
export interface PagedFold {
  /** Under which it is kept. */
  readonly aggregate: AggregateRef;
  readonly fold: string;
  /** To be raised whenever the pages' shape or the fold changes; older snapshots are then left alone. */
  readonly version: number;
}

/** A state folded from the whole log, in pages of plain JSON, because one message could not hold it. */
export interface PagedSnapshot {
  /** The last event that was folded. */
  readonly head: AggregateHead;
  readonly pages: Iterable<unknown>;
}

const contents = z.object({
  /** Also on each of its pages. */
  id: z.string(),
  slot: z.enum(['a', 'b']),
  pages: z.number().int().nonnegative(),
});
const page = z.object({ of: z.string(), content: z.unknown() });

/**
 * Keeps a snapshot: its pages first and the list of contents last, in the slot that the one before is not in, so that
 * one that is broken off leaves that one whole.
 */
export async function savePagedSnapshot(
  { store }: Snapshots,
  { aggregate, fold, version }: PagedFold,
  { head, pages }: PagedSnapshot,
): Promise<void> {
  const before = await contentsOf(store.load(aggregate, fold));
  const slot = before?.slot === 'a' ? 'b' : 'a';
  const id = freshId();
  const common = { head, foldVersion: version };
  let count = 0;
  for (const content of pages) {
    const state = { of: id, content };
    await store.save(aggregate, pageName(fold, slot, count), { ...common, eventCount: 1, state });
    count += 1;
  }
  await store.save(aggregate, fold, { ...common, eventCount: count, state: { id, slot, pages: count } });
}

/**
 * Gives the pages of the newest snapshot to `take`, one after another, and answers the event up to which they hold.
 * Nothing when there is none of this fold, or the log has another event there: then it is of another log. A snapshot
 * that another process replaces meanwhile ends with an error, and what was taken is to be thrown away.
 */
export async function loadPagedSnapshot(
  log: EventLog,
  { store }: Snapshots,
  { aggregate, fold, version }: PagedFold,
  take: (content: unknown) => void,
): Promise<AggregateHead | undefined> {
  const kept = await store.load(aggregate, fold);
  if (kept?.foldVersion !== version) return undefined;
  if (!(await isAt(log, kept.head))) return undefined;
  const { id, slot, pages } = contents.parse(kept.state);
  for (let number = 0; number < pages; number += 1) {
    const stored = await store.load(aggregate, pageName(fold, slot, number));
    const { of, content } = page.parse(stored?.state);
    if (of !== id) throw new Error(`Page ${number} of the snapshot "${fold}" is of another one.`);
    take(content);
  }
  return kept.head;
}

async function contentsOf(
  loading: ReturnType<Snapshots['store']['load']>,
): Promise<z.infer<typeof contents> | undefined> {
  const parsed = contents.safeParse((await loading)?.state);
  return parsed.success ? parsed.data : undefined;
}

async function isAt(log: EventLog, { sequence, hash }: AggregateHead): Promise<boolean> {
  if ((await log.lastSequence()) < sequence) return false;
  for await (const event of log.read({ from: sequence, to: sequence })) return event.hash === hash;
  return false;
}

function pageName(fold: string, slot: string, number: number): string {
  return `${fold}-${slot}-${number}`;
}
