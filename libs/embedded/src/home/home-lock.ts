import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddedError } from '../embedded-error.ts';
import { tryLock, type ExclusiveLock } from '../lock/exclusive-lock.ts';
import {
  commandLineOf,
  identifyProcess,
  isRunning,
  type ProcessIdentity,
} from '../process/process-identity.ts';
import { writeWhole } from '../write-whole.ts';
import type { HomeLayout } from './home-layout.ts';

/** The process that runs a home. */
export interface HomeHolder extends ProcessIdentity {
  since: string;
  command: string;
}

/** Takes the home for this process, until it is released or the process is gone. Throws embedded.home-in-use with who has it. */
export async function takeHome(layout: HomeLayout): Promise<ExclusiveLock> {
  const lock = tryLock(path.join(layout.run, 'lock'));
  if (!lock) throw await inUse(layout);
  const identity = identifyProcess(process.pid);
  if (!identity) {
    lock.release();
    throw new EmbeddedError(
      'embedded.system-unsupported',
      'This system has no /proc, by which the servers of one machine are told apart',
      'Run servers of your own and name them with CATENA_NATS_URL and CATENA_DATABASE_URL.',
    );
  }
  const holder: HomeHolder = {
    ...identity,
    since: new Date().toISOString(),
    command: commandLineOf(process.pid)?.join(' ') ?? process.title,
  };
  const file = holderFile(layout);
  writeWhole(file, `${JSON.stringify(holder)}\n`, 0o600);
  return {
    release: () => {
      rmSync(file, { force: true });
      lock.release();
    },
  };
}

/** Who runs the home now; undefined when nobody does. */
export function readHolder(layout: HomeLayout): HomeHolder | undefined {
  try {
    const holder = JSON.parse(readFileSync(holderFile(layout), 'utf8')) as HomeHolder;
    return isRunning(holder) ? holder : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function holderFile(layout: HomeLayout): string {
  return path.join(layout.run, 'holder.json');
}

async function inUse(layout: HomeLayout): Promise<EmbeddedError> {
  // The other one takes the lock first and signs a moment later.
  let holder = readHolder(layout);
  for (let attempt = 0; !holder && attempt < 40; attempt++) {
    await sleep(25);
    holder = readHolder(layout);
  }
  const who = holder
    ? `pid ${holder.pid}, since ${holder.since}: ${holder.command}`
    : 'a process that has not said who it is';
  return new EmbeddedError(
    'embedded.home-in-use',
    `The data folder ${layout.home} is in use (${who})`,
    'Use the one that runs, or stop it first, or set CATENA_HOME to another folder.',
    {
      home: layout.home,
      ...(holder ? { pid: holder.pid, since: holder.since, command: holder.command } : {}),
    },
  );
}
