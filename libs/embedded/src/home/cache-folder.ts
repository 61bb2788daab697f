import { homedir } from 'node:os';
import path from 'node:path';

/** Where fetched server binaries are kept between starts: `CATENA_CACHE`, else `$XDG_CACHE_HOME/catena`, else `~/.cache/catena`. */
export function resolveCache(env: NodeJS.ProcessEnv = process.env): string {
  if (env['CATENA_CACHE']) return path.resolve(env['CATENA_CACHE']);
  return path.join(env['XDG_CACHE_HOME'] || path.join(env['HOME'] || homedir(), '.cache'), 'catena');
}
