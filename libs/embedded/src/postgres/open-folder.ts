import { chmod, mkdir } from 'node:fs/promises';
import path from 'node:path';

/**
 * Makes a folder, and those above it that are missing, with a mode that the umask of whoever starts takes nothing from:
 * root's is often one that shuts others out, and PostgreSQL's user has to get through. Folders that are there stay as they are.
 */
export async function makeOpenFolder(folder: string, mode: number): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = path.resolve(folder); made.length >= first.length; made = path.dirname(made))
    await chmod(made, mode);
}
