/**
 * Remembers keys in a few bits each (a Bloom filter): `mayHave` is never wrongly false. It saves a bulk load from asking
 * the database about rows that cannot be there.
 */
export class KeyFilter {
  readonly #bits: Uint8Array;
  readonly #mask: number;

  /** @param expected how many keys there may be; more only make it answer "may be" more often. */
  constructor(expected: number) {
    const bits = 2 ** Math.min(MOST_BITS, Math.max(LEAST_BITS, Math.ceil(Math.log2(expected * 10 + 1))));
    this.#bits = new Uint8Array(bits / 8);
    this.#mask = bits - 1;
  }

  add(key: string): void {
    const [a, b] = hashes(key);
    for (let i = 0; i < PROBES; i++) {
      const bit = (a + Math.imul(b, i)) & this.#mask;
      this.#bits[bit >>> 3] = (this.#bits[bit >>> 3] ?? 0) | (1 << (bit & 7));
    }
  }

  mayHave(key: string): boolean {
    const [a, b] = hashes(key);
    for (let i = 0; i < PROBES; i++) {
      const bit = (a + Math.imul(b, i)) & this.#mask;
      if (((this.#bits[bit >>> 3] ?? 0) & (1 << (bit & 7))) === 0) return false;
    }
    return true;
  }
}

const PROBES = 5;
const LEAST_BITS = 16;
/** 16 MiB. */
const MOST_BITS = 27;

/** Two FNV-1a hashes that differ in where they begin. */
function hashes(key: string): [number, number] {
  let a = 0x811c9dc5;
  let b = 0x2166f00d;
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0x01000197);
  }
  return [a ^ (a >>> 15), (b ^ (b >>> 13)) | 1];
}
