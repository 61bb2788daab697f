import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { systemCodeOf } from '../../system-calls/index.ts';
import type { Stretch, WritableDisk } from '../disk/disk.ts';
import { NbdDisk } from './nbd-client.ts';
import { notAQcow2Disk } from './qemu-tools.ts';

/** The disk that a guest sees in a qcow2 file, served by a `qemu-nbd` that lives as long as this is open. */
export class Qcow2Disk implements WritableDisk {
  readonly #disk: NbdDisk;
  readonly #server: ChildProcess;
  readonly #folder: string;

  private constructor(disk: NbdDisk, server: ChildProcess, folder: string) {
    this.#disk = disk;
    this.#server = server;
    this.#folder = folder;
  }

  /** Throws `source.notReadable` with what the program says. */
  static async open(file: string, mode: 'read' | 'write'): Promise<Qcow2Disk> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'catena-nbd-'));
    const socket = path.join(folder, 'socket');
    const access = mode === 'read' ? ['--read-only'] : ['--discard=unmap', '--detect-zeroes=unmap'];
    const server = spawn(
      'qemu-nbd',
      ['--format=qcow2', `--socket=${socket}`, ...access, '--', `file:${file}`],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    try {
      return new Qcow2Disk(await connected(server, socket), server, folder);
    } catch (error) {
      server.kill();
      fs.rmSync(folder, { recursive: true, force: true });
      throw notAQcow2Disk(file, error);
    }
  }

  get size(): bigint {
    return this.#disk.size;
  }

  read(offset: bigint, into: Buffer): Promise<Stretch> {
    return this.#disk.read(offset, into);
  }

  write(offset: bigint, bytes: Uint8Array): Promise<void> {
    return this.#disk.write(offset, bytes);
  }

  clear(offset: bigint, length: number): Promise<void> {
    return this.#disk.clear(offset, length);
  }

  flush(): Promise<void> {
    return this.#disk.flush();
  }

  /** Resolves when the program has written and closed the file. */
  async close(): Promise<void> {
    try {
      await this.#disk.close();
      if (this.#server.exitCode === null && this.#server.signalCode === null)
        await once(this.#server, 'exit');
    } finally {
      this.#server.kill();
      fs.rmSync(this.#folder, { recursive: true, force: true });
    }
  }
}

/** Connects as soon as the server listens; rejects with what it said when it ended instead. */
async function connected(server: ChildProcess, socket: string): Promise<NbdDisk> {
  let complaint = '';
  let ended: Error | undefined;
  server.stderr?.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  server.once('error', (error) => (ended = error));
  server.once('close', (code) => (ended ??= new Error(complaint.trim() || `it ended with code ${code}`)));
  for (;;) {
    if (ended) throw ended;
    try {
      return await NbdDisk.connect(socket);
    } catch (error) {
      const code = systemCodeOf(error);
      if (code !== 'ENOENT' && code !== 'ECONNREFUSED') throw error;
      await wait(5);
    }
  }
}
