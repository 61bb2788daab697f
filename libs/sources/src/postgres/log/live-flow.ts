/**
 * A stream of log that is followed as it is written, until it is sealed: so long after its first new byte, or when it has
 * become so large, or when nothing came for a while. It also ends where its timeline ends.
 */
import type { LogStream } from '@catena/events';
import type { WalPiece, WalStream } from '../wire/wal-stream.ts';
import { CutFlow } from './cut-flow.ts';
import { UNFLUSHED_MICROSECONDS } from './log-flow.ts';

const LOOK_MILLISECONDS = 100;
/** Nothing new for so long is worth a word as well: until then nothing was committed. */
const IDLE_MILLISECONDS = 60_000;

export interface LiveFlowOptions {
  /** Where the stream begins. */
  readonly from: bigint;
  /** What comes before is known already. */
  readonly start: bigint;
  /** How far the server's log went before the stream began. */
  readonly serverEnd: bigint;
  readonly seal: LogStream;
}

export class LiveFlow {
  readonly #stream: WalStream;
  readonly #options: LiveFlowOptions;
  readonly #flow: CutFlow;
  readonly #beganAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  #firstNewAt: number | undefined;
  /** Whether the last piece was all that the server had. */
  #hasAll: boolean;

  constructor(stream: WalStream, options: LiveFlowOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#flow = new CutFlow(stream, options.from, (piece) => this.#take(piece));
    this.#hasAll = options.serverEnd <= options.start;
    this.#timer = setInterval(() => this.#isDue() && stream.stop(), LOOK_MILLISECONDS);
  }

  /** Of the next byte. */
  get position(): bigint {
    return this.#flow.position;
  }

  get isOver(): boolean {
    return this.#flow.isOver;
  }

  /** Until when nothing was committed beyond the end, in microseconds since 1970; undefined if that is not known. */
  get quietAt(): bigint | undefined {
    const { heardAt, serverEnd } = this.#stream;
    if (!this.#hasAll || heardAt === undefined || serverEnd > this.position) return undefined;
    return heardAt - UNFLUSHED_MICROSECONDS;
  }

  /** What comes before the position, as it comes in. */
  until(end: bigint): AsyncGenerator<Buffer, void, void> {
    return this.#flow.until(end);
  }

  /** Nothing of what was on its way is lost on anybody: `until` has given it. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.#stream.end();
  }

  /** Stops looking at the time, when the stream failed. */
  give(): void {
    clearInterval(this.#timer);
  }

  #take({ position, bytes, serverEnd }: WalPiece): void {
    const end = position + BigInt(bytes.length);
    this.#hasAll = serverEnd <= end;
    if (end > this.#options.start) this.#firstNewAt ??= performance.now();
  }

  #isDue(): boolean {
    const { sealAfter, sealBytes } = this.#options.seal;
    const now = performance.now();
    if (this.#firstNewAt === undefined) return now - this.#beganAt >= IDLE_MILLISECONDS;
    if (now - this.#firstNewAt >= sealAfter) return true;
    return this.position - this.#options.start >= BigInt(sealBytes);
  }
}
