import * as fs from 'node:fs';
import * as path from 'node:path';
import { systemCodeOf } from '../system-calls/index.ts';

/** The innermost folder of a path that exists, with links followed. */
export async function existingFolder(folder: string): Promise<string> {
  const absolute = path.resolve(folder);
  try {
    return await fs.promises.realpath(absolute);
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT' || absolute === path.dirname(absolute)) throw error;
    return existingFolder(path.dirname(absolute));
  }
}

/** The path with links followed as far as it exists. */
export async function existingPart(folder: string): Promise<string> {
  const absolute = path.resolve(folder);
  try {
    return await fs.promises.realpath(absolute);
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT' || absolute === path.dirname(absolute)) throw error;
    return path.join(await existingPart(path.dirname(absolute)), path.basename(absolute));
  }
}
