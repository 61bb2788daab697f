import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddedError, reasonOf } from '../embedded-error.ts';
import type { ChildFolders, ChildSpec } from './child-spec.ts';
import { rotateLog, tailOfLog } from './log-tail.ts';
import { fingerprintOf, forgetChild, pidFile, readChild, writeRecord } from './pid-file.ts';
import { findProcesses, identifyProcess, isRunning, type ProcessIdentity } from './process-identity.ts';

/** How a child ended. Both are null for one that was adopted: only a parent is told. */
export interface ChildExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Why it never ran, if it did not. */
  problem?: string;
}

/** One healthy process of a spec. */
export interface RunningChild {
  readonly pid: number;
  readonly identity: ProcessIdentity;
  readonly adopted: boolean;
  /** Resolves when the process is gone, for whatever reason. */
  readonly exited: Promise<ChildExit>;
}

/** How a child wants to be stopped. */
type StopRules = Pick<ChildSpec, 'name' | 'stopSignal' | 'stopWithinMs'>;

/** Writes its own identity to descriptor 3, then becomes the program: no moment exists in which it runs and is not on record. */
const LAUNCHER = 'IFS= read -r stat </proc/self/stat; printf "%s\\n" "$stat" >&3; exec "$@" 3>&-';
const POLL_MS = 250;
const READY_WITHIN_MS = 60_000;
/** A survivor that does not answer for this long is ended and started again, with all the time that a start may take. */
const ADOPT_WITHIN_MS = 15_000;

/**
 * Finds the survivor of an earlier parent and adopts it when it was started the same way and answers, ends it
 * otherwise, and starts a new process when none is left. The child has its own session, so it outlives its parent.
 * Resolves when it is healthy. Throws embedded.child-not-ready with the tail of its log, or the abort reason.
 */
export async function startChild(
  spec: ChildSpec,
  folders: ChildFolders,
  abort: AbortSignal,
): Promise<RunningChild> {
  const survivor = await adoptSurvivor(spec, folders, abort);
  if (survivor) return survivor;

  await clearRemains(spec);
  spec.beforeStart?.();
  const logFile = logOf(spec, folders);
  const logStart = await rotateLog(logFile);
  writeRecord(folders.run, spec);
  const { identity, exited } = spawnDetached(spec, pidFile(folders.run, spec.name), logFile);
  try {
    await waitUntilHealthy(spec, exited, { file: logFile, from: logStart }, abort);
  } catch (error) {
    await endProcess(identity, spec, abort.aborted ? (spec.stopSignal ?? 'SIGTERM') : 'SIGKILL');
    forgetChild(folders.run, spec.name);
    throw error;
  }
  return { pid: identity.pid, identity, adopted: false, exited };
}

/** Asks the process to stop, waits, kills it when it does not. Throws embedded.child-not-ended when even that does not help. */
export async function stopChild(child: RunningChild, spec: ChildSpec, folders: ChildFolders): Promise<void> {
  await endChild(child, spec);
  forgetChild(folders.run, spec.name);
}

/** Ends the process as `stopChild` does, and leaves its files to whoever starts it again. Throws embedded.child-not-ended. */
export async function endChild(child: RunningChild, spec: ChildSpec): Promise<void> {
  await endProcess(child.identity, spec, spec.stopSignal ?? 'SIGTERM');
}

/** Kills the process without asking, and waits until it is gone. Throws embedded.child-not-ended. */
export async function killChild(child: RunningChild, spec: ChildSpec): Promise<void> {
  await endProcess(child.identity, spec, 'SIGKILL');
}

/** Ends whatever an earlier parent left running under this name. Returns whether there was one. */
export async function endSurvivor(spec: StopRules, folders: ChildFolders): Promise<boolean> {
  const survivor = await readChild(folders.run, spec.name);
  if (!survivor || !isRunning(survivor.identity)) return false;
  await endProcess(survivor.identity, spec, spec.stopSignal ?? 'SIGTERM');
  forgetChild(folders.run, spec.name);
  return true;
}

/** Whether a child of an earlier parent still runs under this name. */
export async function hasSurvivor(runFolder: string, name: string): Promise<boolean> {
  const survivor = await readChild(runFolder, name);
  return survivor !== undefined && isRunning(survivor.identity);
}

async function adoptSurvivor(
  spec: ChildSpec,
  folders: ChildFolders,
  abort: AbortSignal,
): Promise<RunningChild | undefined> {
  const survivor = await readChild(folders.run, spec.name);
  if (!survivor || !isRunning(survivor.identity)) return undefined;
  const same = survivor.record.fingerprint === fingerprintOf(spec) && spec.survivor !== 'end';
  if (same) {
    const exited = watchUntilGone(survivor.identity);
    try {
      // It may still be recovering: its parent may have been killed a moment after starting it.
      const patience = Math.min(spec.readyWithinMs ?? READY_WITHIN_MS, ADOPT_WITHIN_MS);
      await waitUntilHealthy(
        { ...spec, readyWithinMs: patience },
        exited,
        { file: logOf(spec, folders), from: 0 },
        abort,
      );
      return { pid: survivor.identity.pid, identity: survivor.identity, adopted: true, exited };
    } catch (error) {
      if (abort.aborted) throw error;
    }
  }
  await endSurvivor(spec, folders);
  return undefined;
}

async function clearRemains(spec: ChildSpec): Promise<void> {
  if (!spec.isRemains) return;
  for (const identity of findProcesses(spec.isRemains)) await endProcess(identity, spec, 'SIGKILL');
}

function logOf(spec: ChildSpec, folders: ChildFolders): string {
  return path.join(folders.logs, `${spec.name}.log`);
}

function spawnDetached(
  spec: ChildSpec,
  pidPath: string,
  logFile: string,
): { identity: ProcessIdentity; exited: Promise<ChildExit> } {
  const log = openSync(logFile, 'a', 0o600);
  const pid = openSync(pidPath, 'w', 0o600);
  try {
    const child = spawn('/bin/sh', ['-c', LAUNCHER, 'launch', spec.command, ...spec.args], {
      cwd: spec.cwd,
      env: spec.env,
      uid: spec.user?.uid,
      gid: spec.user?.gid,
      detached: true,
      stdio: ['ignore', log, log, pid],
    });
    const exited = new Promise<ChildExit>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
      child.once('error', (error) => resolve({ code: null, signal: null, problem: error.message }));
    });
    child.unref();
    const identity = child.pid === undefined ? undefined : identifyProcess(child.pid);
    return { identity: identity ?? { pid: child.pid ?? -1, startTime: '', bootId: '' }, exited };
  } finally {
    closeSync(log);
    closeSync(pid);
  }
}

async function waitUntilHealthy(
  spec: ChildSpec,
  exited: Promise<ChildExit>,
  log: { file: string; from: number },
  abort: AbortSignal,
): Promise<void> {
  if (!spec.probe) return;
  const limit = spec.readyWithinMs ?? READY_WITHIN_MS;
  const deadline = performance.now() + limit;
  let ended: ChildExit | undefined;
  void exited.then((exit) => (ended = exit));
  for (;;) {
    abort.throwIfAborted();
    let problem: string;
    try {
      await spec.probe(AbortSignal.any([abort, AbortSignal.timeout(Math.min(limit, 5_000))]));
      return;
    } catch (error) {
      if (error instanceof EmbeddedError) throw error;
      problem = reasonOf(error);
    }
    abort.throwIfAborted();
    const late = performance.now() > deadline;
    if (ended || late) {
      const tail = await tailOfLog(log.file, log.from);
      throw new EmbeddedError(
        'embedded.child-not-ready',
        (ended
          ? `${spec.name} ended while it was starting (${describeExit(ended)})`
          : `${spec.name} did not become healthy within ${limit / 1000} s: ${problem}`) +
          (tail === '' ? '' : `; the last lines of its log:\n${tail}\n`),
        `Read ${log.file}, remove the cause, then start again.`,
        { child: spec.name, command: spec.command, logFile: log.file, tail, exit: ended, problem },
      );
    }
    await sleep(25);
  }
}

export function describeExit(exit: ChildExit): string {
  if (exit.problem !== undefined) return `it could not be run: ${exit.problem}`;
  if (exit.signal) return `signal ${exit.signal}`;
  return exit.code === null ? 'exit status unknown' : `exit code ${exit.code}`;
}

function watchUntilGone(identity: ProcessIdentity): Promise<ChildExit> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (isRunning(identity)) return;
      clearInterval(timer);
      resolve({ code: null, signal: null });
    }, POLL_MS);
    timer.unref();
  });
}

async function endProcess(identity: ProcessIdentity, spec: StopRules, first: NodeJS.Signals): Promise<void> {
  const limit = first === 'SIGKILL' ? 10_000 : (spec.stopWithinMs ?? 10_000);
  if (await signalAndWait(identity, first, limit)) return;
  if (first !== 'SIGKILL' && (await signalAndWait(identity, 'SIGKILL', 10_000))) return;
  throw new EmbeddedError(
    'embedded.child-not-ended',
    `${spec.name} (pid ${identity.pid}) is still running after SIGKILL`,
    'It hangs in the kernel, usually on a disk that does not answer: look at the disk, then start again.',
    { child: spec.name, pid: identity.pid },
  );
}

async function signalAndWait(
  identity: ProcessIdentity,
  signal: NodeJS.Signals,
  limitMs: number,
): Promise<boolean> {
  if (!isRunning(identity)) return true;
  try {
    process.kill(identity.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true;
    throw error;
  }
  const deadline = performance.now() + limitMs;
  while (performance.now() < deadline) {
    if (!isRunning(identity)) return true;
    await sleep(20);
  }
  return !isRunning(identity);
}
