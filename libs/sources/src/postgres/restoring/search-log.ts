/** Searches the log of a restored data folder, as the server will read it. */
import { parseTimelineHistory } from '../cluster/fork.ts';
import { parseSegmentName } from '../wire/lsn.ts';
import { HISTORY, SEGMENT, type ReadableLog } from './readable-log.ts';
import type { FoundStop, StopSearch } from './stop-search.ts';

/** @throws RestoreError `restore.stopNotFound`, `restore.stopBeforeBackup`. */
export async function searchLog(
  log: ReadableLog,
  search: StopSearch,
  signal?: AbortSignal,
): Promise<FoundStop> {
  const names = await log.names();
  const left = await switchesOf(log, names);
  for (const name of names.filter((one) => SEGMENT.test(one))) {
    const size = BigInt(await log.size(name));
    const segment = { ...parseSegmentName(name, size), segmentSize: size };
    let at = segment.start;
    const end = left.get(segment.timeline) ?? at + size;
    if (at >= end) continue;
    for await (const piece of log.content(name)) {
      signal?.throwIfAborted();
      const wanted = end - at;
      search.push(segment, at, wanted < piece.length ? piece.subarray(0, Number(wanted)) : piece);
      at += BigInt(piece.length);
      if (at >= end) break;
    }
  }
  return search.found();
}

/** By timeline, where the next one left it: what comes after is of another branch. */
async function switchesOf(log: ReadableLog, names: readonly string[]): Promise<Map<number, bigint>> {
  const newest = names.filter((name) => HISTORY.test(name)).at(-1);
  if (newest === undefined) return new Map();
  const switches = parseTimelineHistory(await log.history(newest));
  return new Map(switches.map(({ timeline, position }) => [timeline, position]));
}
