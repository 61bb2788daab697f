import { readdirSync, readFileSync } from 'node:fs';

/**
 * A process and no later one with the same number: its pid and the kernel's start time
 * (clock ticks since boot, field 22 of /proc/<pid>/stat), on one boot of the machine.
 */
export interface ProcessIdentity {
  pid: number;
  startTime: string;
  bootId: string;
}

/** The identity of a running process, or undefined when there is none (a zombie counts as gone). */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  const parsed = parseStat(stat);
  if (!parsed || parsed.state === 'Z' || parsed.state === 'X') return undefined;
  return { pid: parsed.pid, startTime: parsed.startTime, bootId: readBootId() };
}

/** Whether exactly this process still runs. */
export function isRunning(identity: ProcessIdentity): boolean {
  const now = identifyProcess(identity.pid);
  return now !== undefined && now.startTime === identity.startTime && now.bootId === identity.bootId;
}

/** Reads a line of /proc/<pid>/stat; the command in parentheses may hold anything, so fields count from its last `)`. */
export function parseStat(stat: string): { pid: number; state: string; startTime: string } | undefined {
  const end = stat.lastIndexOf(')');
  const pid = Number.parseInt(stat, 10);
  const fields = stat.slice(end + 2).split(' ');
  const state = fields[0];
  const startTime = fields[19];
  if (end < 0 || !Number.isInteger(pid) || !state || !startTime) return undefined;
  return { pid, state, startTime };
}

/** The command line of a process; undefined when it is gone. Programs may overwrite theirs with a title. */
export function commandLineOf(pid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0+$/, '').split('\0');
  } catch {
    return undefined;
  }
}

/** Every running process that we may see whose command line satisfies the condition. */
export function findProcesses(condition: (commandLine: readonly string[]) => boolean): ProcessIdentity[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const commandLine = commandLineOf(Number(name));
      const identity = commandLine && condition(commandLine) ? identifyProcess(Number(name)) : undefined;
      return identity ? [identity] : [];
    });
}

/** Names this boot of the machine: start times of different boots cannot be compared. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
