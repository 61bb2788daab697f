/**
 * The part of the network block device protocol that is needed to read and write one disk over a socket of this
 * machine: fixed newstyle negotiation, structured replies (they tell holes), one request at a time.
 * https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Stretch, WritableDisk } from '../disk/disk.ts';

const GREETING = 0x4e42444d41474943n; // "NBDMAGIC"
const I_HAVE_OPTION = 0x49484156454f5054n; // "IHAVEOPT"
const OPTION_REPLY = 0x3e889045565a9n;
const REQUEST = 0x25609513;
const SIMPLE_REPLY = 0x67446698;
const STRUCTURED_REPLY = 0x668e33ef;
const FIXED_NEWSTYLE = 1;
const NO_ZEROES = 2;
const OPT_GO = 7;
const OPT_STRUCTURED_REPLY = 8;
const REP_ACK = 1;
const REP_INFO = 3;
const INFO_EXPORT = 0;
const READ = 0;
const WRITE = 1;
const DISCONNECT = 2;
const FLUSH = 3;
const WRITE_ZEROES = 6;
const LAST_CHUNK = 1;
const OFFSET_DATA = 1;
const OFFSET_HOLE = 2;
const NONE = 0;
const largestTransfer = 1024 * 1024;

export class NbdError extends Error {
  override readonly name = 'NbdError';
}

/** A disk that a server on a socket offers. */
export class NbdDisk implements WritableDisk {
  readonly size: bigint;
  readonly #stream: ByteStream;
  /** Requests take turns. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(stream: ByteStream, size: bigint) {
    this.#stream = stream;
    this.size = size;
  }

  static async connect(socketPath: string): Promise<NbdDisk> {
    const socket = connect(socketPath);
    await once(socket, 'connect');
    const stream = new ByteStream(socket);
    try {
      return new NbdDisk(stream, await negotiate(stream));
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  read(offset: bigint, into: Buffer): Promise<Stretch> {
    return this.#inTurn(async () => {
      const left = this.size - offset;
      const wanted = Math.min(
        into.length,
        largestTransfer,
        left < BigInt(into.length) ? Number(left) : into.length,
      );
      if (wanted <= 0) return { length: 0, zeros: false };
      this.#stream.write(request(READ, offset, wanted));
      return { length: wanted, zeros: !(await this.#readReply(offset, into.subarray(0, wanted))) };
    });
  }

  write(offset: bigint, bytes: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      for (let done = 0; done < bytes.length; done += largestTransfer) {
        const part = bytes.subarray(done, done + largestTransfer);
        this.#stream.write(request(WRITE, offset + BigInt(done), part.length));
        this.#stream.write(part);
        await this.#done();
      }
    });
  }

  clear(offset: bigint, length: number): Promise<void> {
    return this.#inTurn(async () => {
      this.#stream.write(request(WRITE_ZEROES, offset, length));
      await this.#done();
    });
  }

  flush(): Promise<void> {
    return this.#inTurn(async () => {
      this.#stream.write(request(FLUSH, 0n, 0));
      await this.#done();
    });
  }

  async close(): Promise<void> {
    await this.#turn;
    this.#stream.write(request(DISCONNECT, 0n, 0));
    this.#stream.end();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** Reads the reply to a reading; false when all of it is a hole, and then the buffer is as it was. */
  async #readReply(offset: bigint, into: Buffer): Promise<boolean> {
    let hasData = false;
    const holes: [start: number, length: number][] = [];
    for (let last = false; !last;) {
      const magic = (await this.#stream.take(4)).readUInt32BE();
      if (magic !== STRUCTURED_REPLY) throw new NbdError('The disk server answered in an unknown form.');
      const head = await this.#stream.take(16);
      last = (head.readUInt16BE(0) & LAST_CHUNK) !== 0;
      const type = head.readUInt16BE(2);
      const length = head.readUInt32BE(12);
      if (type === OFFSET_DATA) {
        const start = Number((await this.#stream.take(8)).readBigUInt64BE() - offset);
        await this.#stream.fill(into.subarray(start, start + length - 8));
        hasData = true;
      } else if (type === OFFSET_HOLE) {
        const hole = await this.#stream.take(length);
        holes.push([Number(hole.readBigUInt64BE() - offset), hole.readUInt32BE(8)]);
      } else if (type !== NONE) throw failureIn(await this.#stream.take(length));
      else await this.#stream.take(length);
    }
    if (hasData) for (const [start, length] of holes) into.fill(0, start, start + length);
    return hasData;
  }

  /** Reads the reply to a request that brings no data. */
  async #done(): Promise<void> {
    const magic = (await this.#stream.take(4)).readUInt32BE();
    if (magic === SIMPLE_REPLY) {
      const error = (await this.#stream.take(12)).readUInt32BE();
      if (error !== 0) throw new NbdError(`The disk server failed (error ${error}).`);
      return;
    }
    const head = await this.#stream.take(16);
    const body = await this.#stream.take(head.readUInt32BE(12));
    if (head.readUInt16BE(2) !== NONE) throw failureIn(body);
  }
}

function failureIn(body: Buffer): NbdError {
  const text = body.length > 6 ? body.subarray(6, 6 + body.readUInt16BE(4)).toString() : '';
  return new NbdError(`The disk server failed (error ${body.readUInt32BE(0)}${text && `: ${text}`}).`);
}

function request(type: number, offset: bigint, length: number): Buffer {
  const bytes = Buffer.alloc(28);
  bytes.writeUInt32BE(REQUEST, 0);
  bytes.writeUInt16BE(type, 6);
  bytes.writeBigUInt64BE(offset, 16);
  bytes.writeUInt32BE(length, 24);
  return bytes;
}

/** Agrees on structured replies and the disk without a name; answers its size. */
async function negotiate(stream: ByteStream): Promise<bigint> {
  const greeting = await stream.take(18);
  if (greeting.readBigUInt64BE(0) !== GREETING || greeting.readBigUInt64BE(8) !== I_HAVE_OPTION)
    throw new NbdError('What listens there is no disk server.');
  const flags = Buffer.alloc(4);
  flags.writeUInt32BE(FIXED_NEWSTYLE | NO_ZEROES);
  stream.write(flags);
  await option(stream, OPT_STRUCTURED_REPLY, Buffer.alloc(0));
  // No name (its length is 0) and no further information asked for.
  const infos = await option(stream, OPT_GO, Buffer.alloc(6));
  const about = infos.find((info) => info.readUInt16BE(0) === INFO_EXPORT);
  if (about === undefined) throw new NbdError('The disk server does not say how large its disk is.');
  return about.readBigUInt64BE(2);
}

/** Sends an option and answers what was said before it was acknowledged. */
async function option(stream: ByteStream, number: number, data: Buffer): Promise<Buffer[]> {
  const head = Buffer.alloc(16);
  head.writeBigUInt64BE(I_HAVE_OPTION, 0);
  head.writeUInt32BE(number, 8);
  head.writeUInt32BE(data.length, 12);
  stream.write(Buffer.concat([head, data]));
  const infos: Buffer[] = [];
  for (;;) {
    const reply = await stream.take(20);
    if (reply.readBigUInt64BE(0) !== OPTION_REPLY) throw new NbdError('The disk server lost its thread.');
    const type = reply.readUInt32BE(12);
    const body = await stream.take(reply.readUInt32BE(16));
    if (type === REP_ACK) return infos;
    if (type !== REP_INFO)
      throw new NbdError(`The disk server refused option ${number}: ${body.toString()}.`);
    infos.push(body);
  }
}

/** A socket from which exactly so many bytes are taken. */
class ByteStream {
  readonly #socket: Socket;
  readonly #chunks: Buffer[] = [];
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#wake?.();
    });
    const ended = (error?: Error): void => {
      this.#failure ??= new NbdError('The disk server went away.', { cause: error });
      this.#wake?.();
    };
    socket.on('error', ended);
    socket.on('close', () => ended());
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  end(): void {
    this.#socket.end();
  }

  async take(length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(length);
    await this.fill(bytes);
    return bytes;
  }

  async fill(into: Buffer): Promise<void> {
    for (let filled = 0; filled < into.length;) {
      const [first] = this.#chunks;
      if (first === undefined) {
        if (this.#failure) throw this.#failure;
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      const count = first.copy(into, filled);
      filled += count;
      if (count === first.length) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(count);
    }
  }
}
