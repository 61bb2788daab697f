import { BLOCK_ID_BYTES } from '../../container/contents-table.ts';

/** Blocks remembered: between one generation and two. A generation is forgotten as a whole. */
export const GENERATION_BLOCKS = 1 << 16;
const SLOTS = GENERATION_BLOCKS * 2;
const WORDS = 8; // four of identity, unit, start, size, one free
const CONTROL_WORDS = 16;
const ID_WORDS = BLOCK_ID_BYTES / 4;

/** Words of control, which all threads share. */
const LOCK = 0;
const NEWER = 1;
const COUNT = 2;
const UNITS = 3;
const PACKS = 4;

/** Where a block lies that was stored lately. Units are numbered from 1 over all threads. */
export interface RecentBlock {
  readonly unit: number;
  readonly start: number;
}

/**
 * The blocks that were stored last, in memory that all threads of a backup share, so that equal files near each other
 * are stored once whichever thread they come to. Also hands out the numbers of units and packs.
 */
export class RecentBlocks {
  private readonly control: Int32Array;
  private readonly generations: readonly [Uint32Array, Uint32Array];

  constructor(memory: SharedArrayBuffer) {
    this.control = new Int32Array(memory, 0, CONTROL_WORDS);
    const table = (n: number) =>
      new Uint32Array(memory, (CONTROL_WORDS + n * SLOTS * WORDS) * 4, SLOTS * WORDS);
    this.generations = [table(0), table(1)];
  }

  /** Memory in which no block is remembered. */
  static memory(from: { take(bytes: number): SharedArrayBuffer }): SharedArrayBuffer {
    const memory = from.take((CONTROL_WORDS + 2 * SLOTS * WORDS) * 4);
    new Uint32Array(memory).fill(0);
    return memory;
  }

  /** Finds and remembers without another thread in between. `work` must be short and must not wait. */
  locked<T>(work: () => T): T {
    while (Atomics.compareExchange(this.control, LOCK, 0, 1) !== 0) Atomics.wait(this.control, LOCK, 1, 1);
    try {
      return work();
    } finally {
      Atomics.store(this.control, LOCK, 0);
      Atomics.notify(this.control, LOCK, 1);
    }
  }

  nextUnit(): number {
    return Atomics.add(this.control, UNITS, 1) + 1;
  }

  nextPack(): number {
    return Atomics.add(this.control, PACKS, 1) + 1;
  }

  /** Packs that were begun. */
  get packs(): number {
    return Atomics.load(this.control, PACKS);
  }

  /** @param id words of identities, four for each block */
  find(id: Uint32Array, block: number, size: number): RecentBlock | undefined {
    const newer = Atomics.load(this.control, NEWER);
    return this.findIn(newer, id, block, size) ?? this.findIn(1 - newer, id, block, size);
  }

  private table(generation: number): Uint32Array {
    return this.generations[generation === 0 ? 0 : 1];
  }

  /** The slot that holds the identity, or the free one where it belongs. */
  private slot(table: Uint32Array, id: Uint32Array, block: number): number {
    const at = block * ID_WORDS;
    for (let slot = (id[at] ?? 0) % SLOTS; ; slot = (slot + 1) % SLOTS) {
      const place = slot * WORDS;
      if (table[place + 4] === 0) return place;
      if (
        table[place] === id[at] &&
        table[place + 1] === id[at + 1] &&
        table[place + 2] === id[at + 2] &&
        table[place + 3] === id[at + 3]
      )
        return place;
    }
  }

  private findIn(generation: number, id: Uint32Array, block: number, size: number): RecentBlock | undefined {
    const table = this.table(generation);
    const place = this.slot(table, id, block);
    const unit = table[place + 4] ?? 0;
    return unit === 0 || table[place + 6] !== size ? undefined : { unit, start: table[place + 5] ?? 0 };
  }

  remember(id: Uint32Array, block: number, size: number, { unit, start }: RecentBlock): void {
    if ((this.control[COUNT] ?? 0) >= GENERATION_BLOCKS) {
      const older = 1 - (this.control[NEWER] ?? 0);
      this.table(older).fill(0);
      this.control[NEWER] = older;
      this.control[COUNT] = 0;
    }
    const table = this.table(this.control[NEWER] ?? 0);
    const place = this.slot(table, id, block);
    if (table[place + 4] === 0) this.control[COUNT] = (this.control[COUNT] ?? 0) + 1;
    for (let word = 0; word < ID_WORDS; word++) table[place + word] = id[block * ID_WORDS + word] ?? 0;
    table[place + 4] = unit;
    table[place + 5] = start;
    table[place + 6] = size;
  }
}
