import { open, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Ailment } from '../process/child-spec.ts';

/** Enough for the log to go on for a while. Bytes. */
const ROOM = 4 * 1024 * 1024;

/**
 * What the server says when it gave up writing: it stays so until it is started again, also when there is room. Until then
 * it acknowledges nothing, neither single messages nor batches, and what it acknowledged before is there after the restart
 * (tried on 2.15.1 with a disk that filled up, or got room again, under messages in flight; stopped and killed).
 */
const GAVE_UP = /write error|disabled|not enabled|out of (file|storage) resources/i;

/** What a running server suffers from, in its monitoring's own words; nothing while its streams are well. */
export async function natsAilment(
  monitorUrl: string,
  folder: string,
  abort: AbortSignal,
): Promise<Ailment | undefined> {
  const response = await fetch(new URL('/healthz', monitorUrl), { signal: abort });
  const answer = await response.text();
  if (response.ok) return undefined;
  const says = errorIn(answer);
  if (!GAVE_UP.test(says)) return { reason: says, restartHelps: false };
  const full = await whyNoRoom(folder);
  if (full === undefined) return { reason: says, restartHelps: true };
  const room = `Make room on the disk of ${folder} (${full}); it goes on by itself then`;
  return { reason: `it cannot write the event log: ${says}. ${room}`, restartHelps: false };
}

function errorIn(answer: string): string {
  try {
    const { error } = JSON.parse(answer) as { error?: unknown };
    return typeof error === 'string' ? error : answer.trim();
  } catch {
    return answer.trim();
  }
}

/** Tries to write, because free space alone does not say whether this user may use it (quota, reserved blocks). */
async function whyNoRoom(folder: string): Promise<string | undefined> {
  const file = path.join(folder, `room-${process.pid}`);
  try {
    const handle = await open(file, 'w', 0o600);
    try {
      await handle.write(Buffer.alloc(ROOM, 1));
      await handle.sync();
    } finally {
      await handle.close();
    }
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  } finally {
    await rm(file, { force: true });
  }
}
