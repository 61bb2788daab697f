/** Appends numbers and bytes to a growing buffer. Fixed-width numbers are little-endian. */
export class ByteWriter {
  private buffer: Buffer;
  length = 0;

  constructor(capacity = 1024) {
    this.buffer = Buffer.allocUnsafe(capacity);
  }

  private room(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + bytes));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }

  u8(value: number): this {
    this.room(1);
    this.buffer[this.length++] = value;
    return this;
  }

  u32(value: number): this {
    this.room(4);
    this.length = this.buffer.writeUInt32LE(value, this.length);
    return this;
  }

  u64(value: bigint | number): this {
    this.room(8);
    this.length = this.buffer.writeBigUInt64LE(BigInt(value), this.length);
    return this;
  }

  i64(value: bigint): this {
    this.room(8);
    this.length = this.buffer.writeBigInt64LE(value, this.length);
    return this;
  }

  /** Seven bits per byte, lowest first, the high bit set on all but the last: LEB128. */
  varint(value: number): this {
    this.room(8);
    let rest = value;
    while (rest >= 0x80) {
      this.buffer[this.length++] = (rest % 0x80) | 0x80;
      rest = rest < 0x80000000 ? rest >>> 7 : Math.floor(rest / 0x80);
    }
    this.buffer[this.length++] = rest;
    return this;
  }

  varbig(value: bigint): this {
    if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return this.varint(Number(value));
    this.room(10);
    let rest = value;
    while (rest >= 0x80n) {
      this.buffer[this.length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.buffer[this.length++] = Number(rest);
    return this;
  }

  bytes(value: Uint8Array): this {
    this.room(value.length);
    this.buffer.set(value, this.length);
    this.length += value.length;
    return this;
  }

  /** So many bytes that lie somewhere in others. */
  part(value: Uint8Array, start: number, length: number): this {
    this.room(length);
    for (let i = 0; i < length; i++) this.buffer[this.length + i] = value[start + i] as number;
    this.length += length;
    return this;
  }

  /** What has been written elsewhere. */
  written(other: ByteWriter): this {
    this.room(other.length);
    other.buffer.copy(this.buffer, this.length, 0, other.length);
    this.length += other.length;
    return this;
  }

  /** Length as varint, then the bytes. */
  sized(value: Uint8Array): this {
    return this.varint(value.length).bytes(value);
  }

  /** A copy of what was written. */
  take(): Buffer {
    return Buffer.from(this.buffer.subarray(0, this.length));
  }
}
