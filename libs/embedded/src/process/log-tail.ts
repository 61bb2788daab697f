import { open, rename, stat } from 'node:fs/promises';

/** The last lines of a log file from a byte offset on, at most 4 KiB of them; empty when there is no file. */
export async function tailOfLog(file: string, from = 0, lines = 12): Promise<string> {
  let handle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
  try {
    const { size } = await handle.stat();
    const length = Math.max(0, Math.min(size - from, 4096));
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n').slice(-lines).join('\n');
  } finally {
    await handle.close();
  }
}

/** Puts a log that has grown beyond `limitBytes` aside as `<file>.1`, replacing the one before. Returns the size of what stays, in bytes. */
export async function rotateLog(file: string, limitBytes = 16 * 1024 * 1024): Promise<number> {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  if (size <= limitBytes) return size;
  await rename(file, `${file}.1`);
  return 0;
}
