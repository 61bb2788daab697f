/** Copied data that waits for its reader, put together in memory that is used again and again. */
import type { Arrival, Arrivals } from './inflow.ts';
import { WaitingLine } from './waiting-line.ts';

const SLAB_BYTES = 512 * 1024;
/** Slabs that are kept for later when nothing is in them. */
const SPARE_SLABS = 4;

/** How messages of copied data become what a reader gets. */
export interface Gathering {
  /** True: data of one message goes on with that of the one before. False: each message by itself. */
  readonly joined: boolean;
  /** Messages that begin with this byte are data, without it; all others are given as they are. Absent: all are data. */
  readonly dataMark?: number;
}

interface Slab {
  readonly memory: Buffer;
  filled: number;
  /** Pieces in it that the reader is not done with. */
  uses: number;
}

interface Piece {
  readonly kind: 'data' | 'message';
  readonly slab: Slab;
  readonly start: number;
  end: number;
}

/**
 * The server's bytes are copied out of the memory they were received in, once, and what is given out is valid until the
 * next is asked for: a cluster goes through a few slabs, where memory of its own for each read of the socket would have
 * to be collected.
 */
export class GatheredPieces implements Arrivals {
  readonly #how: Gathering;
  readonly #line = new WaitingLine<Piece | 'boundary'>();
  /** Where data that comes next is put behind. */
  #open: Piece | undefined;
  /** A message that is not whole. */
  #partial: Piece | undefined;
  #given: Piece | undefined;
  #current: Slab = newSlab(0);
  readonly #spare: Slab[] = [];
  #isData = true;
  bytes = 0;

  constructor(how: Gathering) {
    this.#how = how;
  }

  push(bytes: Buffer, continues: boolean, left: number): void {
    const { dataMark, joined } = this.#how;
    if (!continues) this.#isData = dataMark === undefined || bytes[0] === dataMark;
    const rest = this.#isData && dataMark !== undefined && !continues ? bytes.subarray(1) : bytes;
    this.bytes += rest.length;
    if (this.#isData && joined) this.#append(rest);
    else this.#build(rest, left);
  }

  mark(): void {
    this.#open = undefined;
    this.#line.push('boundary');
  }

  take(): Arrival | undefined {
    this.#release();
    const next = this.#line.take();
    if (next === undefined) return undefined;
    if (next === 'boundary') return { kind: 'boundary' };
    if (next === this.#open) this.#open = undefined;
    this.#given = next;
    this.bytes -= next.end - next.start;
    return { kind: next.kind, bytes: next.slab.memory.subarray(next.start, next.end) };
  }

  /** Data behind data, in as few pieces as there are slabs. */
  #append(data: Buffer): void {
    for (let at = 0; at < data.length;) {
      const slab = this.#slabWith(1);
      const length = Math.min(data.length - at, slab.memory.length - slab.filled);
      if (this.#open?.slab !== slab || this.#open.end !== slab.filled) {
        this.#open = this.#begin('data', slab);
        this.#line.push(this.#open);
      }
      data.copy(slab.memory, slab.filled, at, at + length);
      slab.filled += length;
      this.#open.end = slab.filled;
      at += length;
    }
  }

  /** A message in one piece, given out when it is whole. */
  #build(part: Buffer, left: number): void {
    this.#open = undefined;
    this.#partial ??= this.#begin(this.#isData ? 'data' : 'message', this.#slabWith(part.length + left));
    const { slab } = this.#partial;
    part.copy(slab.memory, this.#partial.end);
    this.#partial.end += part.length;
    slab.filled = this.#partial.end;
    if (left > 0) return;
    this.#line.push(this.#partial);
    this.#partial = undefined;
  }

  #begin(kind: Piece['kind'], slab: Slab): Piece {
    slab.uses += 1;
    return { kind, slab, start: slab.filled, end: slab.filled };
  }

  #slabWith(room: number): Slab {
    const { memory, filled } = this.#current;
    if (memory.length - filled >= room) return this.#current;
    const full = this.#current;
    this.#current = room > SLAB_BYTES ? newSlab(room) : (this.#spare.pop() ?? newSlab(SLAB_BYTES));
    this.#settle(full);
    return this.#current;
  }

  #release(): void {
    if (this.#given === undefined) return;
    const { slab } = this.#given;
    this.#given = undefined;
    slab.uses -= 1;
    this.#settle(slab);
  }

  /** What nothing is in may be filled again. */
  #settle(slab: Slab): void {
    if (slab.uses > 0) return;
    slab.filled = 0;
    const isOrdinary = slab.memory.length === SLAB_BYTES;
    if (slab !== this.#current && isOrdinary && this.#spare.length < SPARE_SLABS) this.#spare.push(slab);
  }
}

function newSlab(size: number): Slab {
  return { memory: Buffer.allocUnsafeSlow(size), filled: 0, uses: 0 };
}
