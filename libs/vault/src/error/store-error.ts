import { CatenaError } from '@catena/events';
import { systemCode } from './system-code.ts';

const NO_SPACE = new Set(['ENOSPC', 'EDQUOT']);
/** The disk is not mounted, or the server that keeps it does not answer. */
const GONE = new Set(['ENOENT', 'ENODEV', 'ENXIO', 'ENOTCONN', 'ESTALE', 'EHOSTDOWN', 'EHOSTUNREACH']);
const NO_ACCESS = new Set(['EACCES', 'EPERM', 'EROFS']);

/** The storage beneath a repository refused or could not be reached. */
export class StoreError extends CatenaError {
  /** What the operating system or the service said, e.g. `ENOSPC`. */
  readonly systemCode: string;

  constructor(action: string, object: string, location: string, cause: unknown) {
    const code = systemCode(cause) ?? 'UNKNOWN';
    const full = NO_SPACE.has(code);
    const refused = NO_ACCESS.has(code);
    const gone = GONE.has(code);
    super(
      full
        ? 'vault.store-full'
        : refused
          ? 'vault.store-refused'
          : gone
            ? 'vault.store-gone'
            : 'vault.store-failed',
      `cannot ${action} ${object || 'the root'} in ${location}: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        remedy: full
          ? 'free space in the repository; expiring backups needs none'
          : refused
            ? 'give the user that this runs as (a mover, or whoever calls the command) the right to read the repository, and to write for what changes it'
            : gone
              ? 'bring the repository back: mount its disk, start the server that keeps it; the run is then repeated'
              : 'check that the repository is reachable',
        retryable: !refused,
        details: { object, location, systemCode: code },
        cause,
      },
    );
    this.systemCode = code;
  }
}
