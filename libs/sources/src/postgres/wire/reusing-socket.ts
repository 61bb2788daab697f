import { Socket } from 'node:net';

/** Half of the cache that a core has for itself: what is read is copied out of it while it is there. */
const READ_BYTES = 256 * 1024;

export interface ReusingSocket extends Socket {
  /** Whether listeners are done with what they got when they return; as long as it is false they get a copy. */
  reuses: boolean;
}

/** A socket that reads into the same memory again and again, where an ordinary one makes new memory for each 64 KiB. */
export function reusingSocket(): ReusingSocket {
  const memory = Buffer.allocUnsafeSlow(READ_BYTES);
  const plain = new Socket({
    onread: {
      buffer: memory,
      callback: (length) => {
        const bytes = memory.subarray(0, length);
        socket.emit('data', socket.reuses ? bytes : Buffer.from(bytes));
        return true;
      },
    },
  });
  const socket: ReusingSocket = Object.assign(plain, { reuses: false });
  return socket;
}

export function isReusing(socket: object): socket is ReusingSocket {
  return 'reuses' in socket;
}

/** Returns the memory of what came off an ordinary socket at once; the collector would let much of it pile up. */
export function giveBack({ buffer }: Buffer): void {
  // What is not larger may share its memory with others.
  if (buffer.byteLength > Buffer.poolSize && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
