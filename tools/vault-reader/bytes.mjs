/** Reads the binary data of the format: little-endian numbers, unsigned LEB128 and sized fields. */
export class Bytes {
  #data;
  #at = 0;

  constructor(data) {
    this.#data = data;
  }

  get done() {
    return this.#at >= this.#data.length;
  }

  take(length) {
    if (length > this.#data.length - this.#at) throw new Error('the data ends too early');
    this.#at += length;
    return this.#data.subarray(this.#at - length, this.#at);
  }

  rest() {
    return this.take(this.#data.length - this.#at);
  }

  u8() {
    return this.take(1)[0];
  }

  i64() {
    return this.take(8).readBigInt64LE();
  }

  /** A varint as a BigInt: sizes, inodes and devices may use all 64 bits. */
  big() {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.u8();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (value >= 1n << 64n) break;
        return value;
      }
    }
    throw new Error('a number is longer than 64 bits');
  }

  /** A varint as a number: lengths, counts and offsets. */
  number() {
    const value = this.big();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error('a number is too large');
    return Number(value);
  }

  sized() {
    return this.take(this.number());
  }

  /** A place: where a unit lies. */
  place() {
    return { volume: this.number(), object: this.number(), offset: this.number(), length: this.number() };
  }
}

/** A path or any other name as one line of text: what is not printable becomes an escape, so that no name can imitate another. */
export function shown(bytes) {
  const text = bytes.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(bytes)) {
    return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\\]/gu, (c) =>
      [...Buffer.from(c)].map((byte) => escaped(byte)).join(''),
    );
  }
  return [...bytes]
    .map((byte) => (byte >= 0x20 && byte < 0x7f && byte !== 0x5c ? String.fromCharCode(byte) : escaped(byte)))
    .join('');
}

const escaped = (byte) => (byte === 0x5c ? '\\\\' : `\\x${byte.toString(16).padStart(2, '0')}`);

/** The bytes of a name that was given on the command line, spelled like `shown` does. */
export function spelled(text) {
  const parts = [];
  for (const piece of text.split(/(\\x[0-9a-f]{2}|\\\\)/)) {
    if (piece === '\\\\') parts.push(Buffer.from('\\'));
    else if (piece.startsWith('\\x')) parts.push(Buffer.from(piece.slice(2), 'hex'));
    else parts.push(Buffer.from(piece, 'utf8'));
  }
  return Buffer.concat(parts);
}
