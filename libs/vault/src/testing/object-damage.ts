import { open, readdir, readFile, rename, rm, truncate } from 'node:fs/promises';
import path from 'node:path';

/** Every object of a repository in a folder, by name, sorted. */
export async function objectsIn(root: string): Promise<string[]> {
  const found = await readdir(root, { recursive: true, withFileTypes: true });
  return found
    .filter((item) => item.isFile() && !item.parentPath.includes('.unfinished'))
    .map((item) => path.relative(root, path.join(item.parentPath, item.name)))
    .sort();
}

/** Inverts one bit; `at` is a share of the object's length. */
export async function flipBit(root: string, object: string, at: number): Promise<void> {
  const file = path.join(root, object);
  const bytes = await readFile(file);
  const offset = Math.min(bytes.length - 1, Math.floor(bytes.length * at));
  const handle = await open(file, 'r+');
  await handle.write(Buffer.of(bytes[offset]! ^ 0x10), 0, 1, offset);
  await handle.close();
}

export async function cutInHalf(root: string, object: string): Promise<void> {
  const file = path.join(root, object);
  await truncate(file, Math.floor((await readFile(file)).length / 2));
}

export async function removeObject(root: string, object: string): Promise<void> {
  await rm(path.join(root, object));
}

/** Each object gets the bytes of the other. */
export async function swapObjects(root: string, one: string, two: string): Promise<void> {
  const [a, b] = [path.join(root, one), path.join(root, two)];
  await rename(a, `${a}.swapping`);
  await rename(b, a);
  await rename(`${a}.swapping`, b);
}
