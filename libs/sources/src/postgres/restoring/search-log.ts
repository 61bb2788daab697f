/** Searches the log of a restored data folder, as the server will read it. */
import { open, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseTimelineHistory } from '../cluster/fork.ts';
import { LOG_FOLDER } from '../log/log-files.ts';
import { parseSegmentName } from '../wire/lsn.ts';
import type { FoundStop, StopSearch } from './stop-search.ts';

const SEGMENT = /^[0-9A-F]{24}$/;
const HISTORY = /^([0-9A-F]{8})\.history$/;
const CHUNK = 1_048_576;

/** @param folder the data folder, with all the log that its recovery will find */
export async function searchLog(
  folder: string,
  search: StopSearch,
  signal?: AbortSignal,
): Promise<FoundStop> {
  const place = path.join(folder, LOG_FOLDER);
  const names = (await readdir(place)).sort();
  const left = await switchesOf(place, names);
  const chunk = Buffer.allocUnsafe(CHUNK);
  for (const name of names.filter((one) => SEGMENT.test(one))) {
    const file = await open(path.join(place, name), 'r');
    try {
      const { size } = await file.stat();
      const segment = { ...parseSegmentName(name, BigInt(size)), segmentSize: BigInt(size) };
      const end = Math.min(
        size,
        Number((left.get(segment.timeline) ?? segment.start + BigInt(size)) - segment.start),
      );
      for (let at = 0; at < end;) {
        signal?.throwIfAborted();
        const { bytesRead } = await file.read(chunk, 0, Math.min(CHUNK, end - at), at);
        if (bytesRead === 0) break;
        search.push(segment, segment.start + BigInt(at), chunk.subarray(0, bytesRead));
        at += bytesRead;
      }
    } finally {
      await file.close();
    }
  }
  return search.found();
}

/** By timeline, where the next one left it: what comes after is of another branch. */
async function switchesOf(place: string, names: readonly string[]): Promise<Map<number, bigint>> {
  const newest = names.filter((name) => HISTORY.test(name)).at(-1);
  if (newest === undefined) return new Map();
  const switches = parseTimelineHistory(await readFile(path.join(place, newest), 'utf8'));
  return new Map(switches.map(({ timeline, position }) => [timeline, position]));
}
