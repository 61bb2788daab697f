/** Speaks with the server for `pg_dump`, which thinks it does so itself: logs in, and knows when an answer is whole. */
import { connect, type Socket } from 'node:net';

/** Codes that stand where a start-up message has its version. */
const TLS_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;
const NO = Buffer.from('N');
/** Messages that the server answers until it is ready for the next. */
const ASKING = new Set(['Q', 'S', 'F']);

export interface DumpLogin {
  /** Folder of the server's socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

export class DumpWire {
  readonly #login: DumpLogin;
  readonly #socket: Socket;
  #sent = Buffer.alloc(0);
  #received: Buffer[] = [];
  #unread = Buffer.alloc(0);
  #isStarted = false;
  /** Answers that are not whole yet. */
  #owed = 0;
  #isOver = false;
  #waiting: (() => void) | undefined;

  constructor(login: DumpLogin) {
    this.#login = login;
    this.#socket = connect(`${login.host}/.s.PGSQL.${login.port}`);
    this.#socket.on('data', (bytes: Buffer) => this.#read(bytes));
    // `pg_dump` says itself that the server has gone: it reads no further byte.
    this.#socket.on('error', () => this.#end());
    this.#socket.on('close', () => this.#end());
  }

  /** Sends what `pg_dump` wrote, and answers what it can read now. */
  async exchange(bytes: Uint8Array): Promise<Uint8Array> {
    this.#sent = Buffer.concat([this.#sent, bytes]);
    const declined = this.#isStarted ? [] : this.#start();
    if (this.#isStarted) this.#forward();
    while (this.#owed > 0 && !this.#isOver) await new Promise<void>((resolve) => (this.#waiting = resolve));
    return Buffer.concat([...declined, ...this.#received.splice(0)]);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Declines encryption, which a socket of this machine does not need, and logs in as whom we know. */
  #start(): Buffer[] {
    const declined: Buffer[] = [];
    while (this.#sent.length >= 8) {
      const length = this.#sent.readUInt32BE(0);
      const code = this.#sent.readUInt32BE(4);
      if (this.#sent.length < length) break;
      this.#sent = this.#sent.subarray(length);
      if (code === TLS_REQUEST || code === GSS_REQUEST) {
        declined.push(NO);
        continue;
      }
      this.#socket.write(startUp(this.#login, code));
      this.#isStarted = true;
      this.#owed = 1;
      break;
    }
    return declined;
  }

  #forward(): void {
    let end = 0;
    while (this.#sent.length >= end + 5) {
      const length = 1 + this.#sent.readUInt32BE(end + 1);
      if (this.#sent.length < end + length) break;
      if (ASKING.has(String.fromCharCode(this.#sent.readUInt8(end)))) this.#owed += 1;
      end += length;
    }
    if (end > 0) this.#socket.write(this.#sent.subarray(0, end));
    this.#sent = Buffer.from(this.#sent.subarray(end));
  }

  #read(bytes: Buffer): void {
    this.#received.push(bytes);
    this.#unread = Buffer.concat([this.#unread, bytes]);
    let end = 0;
    while (this.#unread.length >= end + 5) {
      const length = 1 + this.#unread.readUInt32BE(end + 1);
      if (this.#unread.length < end + length) break;
      if (this.#unread[end] === 'Z'.charCodeAt(0)) this.#owed -= 1;
      end += length;
    }
    this.#unread = this.#unread.subarray(end);
    if (this.#owed <= 0) this.#wake();
  }

  #end(): void {
    this.#isOver = true;
    this.#wake();
  }

  #wake(): void {
    this.#waiting?.();
    this.#waiting = undefined;
  }
}

function startUp({ user, database }: DumpLogin, version: number): Buffer {
  const parameters = [
    'user',
    user,
    'database',
    database,
    'application_name',
    'catena',
    'client_encoding',
    'UTF8',
  ];
  const text = Buffer.from(`${parameters.join('\0')}\0\0`);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + text.length, 0);
  head.writeUInt32BE(version, 4);
  return Buffer.concat([head, text]);
}
