import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeWhole } from '../write-whole.ts';
import type { ChildSpec } from './child-spec.ts';
import { parseStat, readBootId, type ProcessIdentity } from './process-identity.ts';

/** What is known of a child besides its identity. `fingerprint` is equal for equal command, arguments, environment and configuration. */
export interface ChildRecord {
  name: string;
  command: string;
  args: readonly string[];
  fingerprint: string;
  bootId: string;
  since: string;
  port?: number;
}

/** The file that the parent writes before it starts the child. */
export function recordFile(runFolder: string, name: string): string {
  return path.join(runFolder, `${name}.json`);
}

/** The file that the child itself writes (its own line of /proc/self/stat) before it becomes the program. */
export function pidFile(runFolder: string, name: string): string {
  return path.join(runFolder, `${name}.pid`);
}

/** The names of all children that are on record, whether or not they run. */
export function namesOnRecord(runFolder: string): string[] {
  return readdirSync(runFolder)
    .filter((file) => file.endsWith('.pid'))
    .map((file) => file.slice(0, -'.pid'.length))
    .sort();
}

export function fingerprintOf(spec: ChildSpec): string {
  const parts = [spec.command, spec.args, spec.env, spec.configuration ?? '', spec.user?.uid ?? null];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

export function writeRecord(runFolder: string, spec: ChildSpec): ChildRecord {
  const record: ChildRecord = {
    name: spec.name,
    command: spec.command,
    args: spec.args,
    fingerprint: fingerprintOf(spec),
    bootId: readBootId(),
    since: new Date().toISOString(),
    ...(spec.port === undefined ? {} : { port: spec.port }),
  };
  writeWhole(recordFile(runFolder, spec.name), `${JSON.stringify(record, undefined, 2)}\n`, 0o600);
  return record;
}

/** The child that was last started under this name, whether or not it still runs; undefined when there is no trace of one. */
export async function readChild(
  runFolder: string,
  name: string,
): Promise<{ identity: ProcessIdentity; record: ChildRecord } | undefined> {
  const recordText = readIfThere(recordFile(runFolder, name));
  if (recordText === undefined) return undefined;
  const record = parseRecord(recordText);
  if (!record) return undefined;
  // The parent may have died between creating the file and the child's first step, which takes microseconds where the machine is not overloaded.
  for (let attempt = 0; attempt < 200; attempt++) {
    const stat = readIfThere(pidFile(runFolder, name));
    if (stat === undefined) return undefined;
    const parsed = parseStat(stat);
    if (parsed) {
      return { identity: { pid: parsed.pid, startTime: parsed.startTime, bootId: record.bootId }, record };
    }
    await sleep(25);
  }
  return undefined;
}

function parseRecord(text: string): ChildRecord | undefined {
  try {
    const value = JSON.parse(text) as ChildRecord;
    return typeof value.fingerprint === 'string' && typeof value.bootId === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

export function forgetChild(runFolder: string, name: string): void {
  rmSync(pidFile(runFolder, name), { force: true });
  rmSync(recordFile(runFolder, name), { force: true });
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
