import * as fs from 'node:fs';
import { systemCodeOf } from '../../system-calls/index.ts';

/** Folders above the target that were made for it, if nobody has put anything into them. */
export function removeMade(made: readonly string[]): void {
  for (const folder of made.toReversed()) {
    try {
      fs.rmdirSync(folder);
    } catch (error) {
      const code = systemCodeOf(error);
      if (code !== 'ENOTEMPTY' && code !== 'ENOENT') throw error;
    }
  }
}
