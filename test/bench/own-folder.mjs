/** A folder of a benchmark's own, and processes of its own, that are gone when it is: also when it is killed. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { holdLifeline } from '@catena/embedded/testing';

/**
 * Makes the folder. `run` is where processes are on record that end with the benchmark; `remove` deletes the folder once
 * they have ended.
 */
export async function ownFolder(parent, prefix, run = 'run') {
  const folder = await mkdtemp(path.join(parent, prefix));
  // Who may not enter, as PostgreSQL's user when root measures, is given a place elsewhere, which nobody removes.
  await chmod(folder, 0o711);
  const callOff = holdLifeline(path.join(folder, run), [folder]);
  return {
    folder,
    run: path.join(folder, run),
    remove: async () => {
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
      callOff();
    },
  };
}

/** Starts a program of ours that ends with the benchmark at the latest. */
export function ownProgram({ run }, name, args, options) {
  const child = spawn(process.execPath, args, options);
  mkdirSync(run, { recursive: true });
  writeFileSync(path.join(run, `${name}.pid`), `${child.pid} (${name})\n`);
  return child;
}
