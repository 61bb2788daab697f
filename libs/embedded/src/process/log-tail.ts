import { open, rename, stat } from 'node:fs/promises';

/** The last lines of a log file, at most 4 KiB of them; empty when there is no file. */
export async function tailOfLog(file: string, lines = 20): Promise<string> {
  let handle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, 4096);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n').slice(-lines).join('\n');
  } finally {
    await handle.close();
  }
}

/** Puts a log that has grown beyond `limitBytes` aside as `<file>.1`, replacing the one before. */
export async function rotateLog(file: string, limitBytes = 16 * 1024 * 1024): Promise<void> {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  if (size > limitBytes) await rename(file, `${file}.1`);
}
