/** Stored bytes do not have the form they must have. Turned into a DamagedObjectError where the object is known. */
export class MalformedBytesError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MalformedBytesError';
  }
}

/** Reads what ByteWriter wrote, from bytes that may be anything. */
export class ByteReader {
  private readonly buffer: Buffer;
  position = 0;

  constructor(bytes: Uint8Array) {
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.buffer.length - this.position;
  }

  private advance(bytes: number): number {
    if (bytes > this.remaining)
      throw new MalformedBytesError(`${bytes} bytes expected, ${this.remaining} left`);
    const at = this.position;
    this.position += bytes;
    return at;
  }

  u8(): number {
    return this.buffer.readUInt8(this.advance(1));
  }

  u32(): number {
    return this.buffer.readUInt32LE(this.advance(4));
  }

  u64(): bigint {
    return this.buffer.readBigUInt64LE(this.advance(8));
  }

  i64(): bigint {
    return this.buffer.readBigInt64LE(this.advance(8));
  }

  varint(): number {
    let value = 0;
    let factor = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.u8();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
      factor *= 0x80;
    }
    throw new MalformedBytesError('number too large');
  }

  varbig(): bigint {
    // Most of them are small, and a number costs far less than a big integer.
    let low = 0;
    let factor = 1;
    for (let i = 0; i < 7; i++) {
      const byte = this.u8();
      low += (byte & 0x7f) * factor;
      if (byte < 0x80) return BigInt(low);
      factor *= 0x80;
    }
    let value = BigInt(low);
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = this.u8();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (value >= 1n << 64n) break;
        return value;
      }
    }
    throw new MalformedBytesError('number too large');
  }

  /** A view, not a copy. */
  bytes(length: number): Buffer {
    const at = this.advance(length);
    return this.buffer.subarray(at, at + length);
  }

  skip(length: number): void {
    this.advance(length);
  }

  sized(): Buffer {
    return this.bytes(this.varint());
  }
}
