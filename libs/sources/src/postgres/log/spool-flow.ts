/** Log out of a folder that the server pushes it into, segment by segment, as far as there is no gap. */
import { createReadStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogStream } from '@catena/events';
import { HistoryLostError } from '../../port/history-lost-error.ts';
import type { WalSpool } from '../spool/wal-spool.ts';
import { segmentName } from '../wire/lsn.ts';
import type { LogStretch } from './where-to-begin.ts';

const LOOK_MILLISECONDS = 500;
const IDLE_MILLISECONDS = 60_000;

/** Where the log of one stretch is in the spool. */
interface Found {
  readonly files: ReadonlyMap<bigint, string>;
  readonly end: bigint;
}

export interface SpoolFlowOptions {
  readonly stretch: LogStretch;
  /** Where the segment begins that the stretch begins in. */
  readonly from: bigint;
  readonly segmentSize: bigint;
  /** The timeline that goes on where the stretch's ends. */
  readonly nextTimeline: number | undefined;
  /** To wait for something new. */
  readonly seal: LogStream | undefined;
  readonly signal: AbortSignal | undefined;
}

export class SpoolFlow {
  readonly #spool: WalSpool;
  readonly #files: ReadonlyMap<bigint, string>;
  /** Where the last segment without a gap ends, or the timeline. */
  readonly end: bigint;
  /** Nothing is known of a server that is not heard. */
  readonly quietAt = undefined;
  /** Of the next byte. */
  position: bigint;

  private constructor(spool: WalSpool, options: SpoolFlowOptions, { files, end }: Found) {
    this.#spool = spool;
    this.#files = files;
    this.position = options.from;
    this.end = end;
  }

  /** @throws HistoryLostError when what comes next was never pushed, and something later was. */
  static async begin(spool: WalSpool, options: SpoolFlowOptions): Promise<SpoolFlow> {
    const until = performance.now() + (options.seal === undefined ? 0 : IDLE_MILLISECONDS);
    for (;;) {
      const found = find(await spool.names(), spool.folder, options);
      if (found.end > options.stretch.start || performance.now() >= until)
        return new SpoolFlow(spool, options, found);
      await sleep(LOOK_MILLISECONDS, undefined, { signal: options.signal });
    }
  }

  get isOver(): boolean {
    return this.position >= this.end;
  }

  async *until(position: bigint): AsyncGenerator<Buffer, void, void> {
    const stop = position < this.end ? position : this.end;
    const name = this.#files.get(this.position);
    if (name === undefined || stop <= this.position) return;
    const length = Number(stop - this.position);
    const pieces = createReadStream(this.#spool.at(name), { end: length - 1, highWaterMark: 1 << 20 });
    for await (const piece of pieces as AsyncIterable<Buffer>) {
      this.position += BigInt(piece.length);
      yield piece;
    }
    if (this.position < stop)
      throw new Error(`${name} in ${this.#spool.folder} is ${stop - this.position} bytes too short`);
  }
}

function find(names: readonly string[], folder: string, options: SpoolFlowOptions): Found {
  const { stretch, from, segmentSize, nextTimeline } = options;
  const { timeline, start, end } = stretch;
  const there = new Set(names);
  const files = new Map<bigint, string>();
  let at = from;
  for (; end === undefined || at < end; at += segmentSize) {
    const own = segmentName(timeline, at, segmentSize);
    const isLast = end !== undefined && at + segmentSize > end;
    // Where a timeline ends within a segment, the next one's file begins with the same bytes.
    const others = isLast ? [`${own}.partial`, segmentName(nextTimeline ?? timeline, at, segmentSize)] : [];
    const name = [own, ...others].find((one) => there.has(one));
    if (name === undefined) break;
    files.set(at, name);
  }
  const reached = end !== undefined && at > end ? end : at;
  if (reached <= start) refuseGap(names, folder, segmentName(timeline, at, segmentSize));
  return { files, end: reached > start ? reached : start };
}

/** What comes later can only be there when what is missing was never pushed, or was taken away. */
function refuseGap(names: readonly string[], folder: string, missing: string): void {
  const later = names.find((name) => /^[0-9A-F]{24}$/.test(name) && name.slice(8) > missing.slice(8));
  if (later === undefined) return;
  throw new HistoryLostError(
    'recycled',
    `The segment ${missing} is not in ${folder}, though ${later} is: what is between is missing.`,
    'The next data backup begins the log chain again. If pg_wal of the server still has the segment, push it: catena wal push pg_wal/SEGMENT --spool FOLDER.',
  );
}
