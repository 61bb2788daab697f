import { readFileSync } from 'node:fs';
import path from 'node:path';
import { findFreePort, isPortFree } from '../free-port.ts';
import { writeWhole } from '../write-whole.ts';
import type { HomeLayout } from './home-layout.ts';

/** The ports of a home: those of the last start where they are still to be had. */
export class PersistedPorts {
  readonly #file: string;
  readonly #ports: Record<string, number>;

  constructor(layout: HomeLayout) {
    this.#file = path.join(layout.run, 'ports.json');
    this.#ports = readPorts(this.#file);
  }

  /** The port of the last start, whether or not it is free now. */
  last(name: string): number | undefined {
    return this.#ports[name];
  }

  /** The port of the last start when nobody has it, else a new one, which is remembered. */
  async take(name: string): Promise<number> {
    const last = this.#ports[name];
    return last !== undefined && (await isPortFree(last)) ? last : this.choose(name);
  }

  /** A new port, which is remembered. */
  async choose(name: string): Promise<number> {
    const port = await findFreePort();
    this.#ports[name] = port;
    writeWhole(this.#file, `${JSON.stringify(this.#ports)}\n`, 0o600);
    return port;
  }
}

function readPorts(file: string): Record<string, number> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}
