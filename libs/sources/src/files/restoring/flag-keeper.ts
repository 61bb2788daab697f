import { blamesOneFile, systemCodeOf, type ByteString, type InodeFlags } from '../../system-calls/index.ts';
import { FoldersOnTheWay } from './folders-on-the-way.ts';
import type { Place } from './metadata.ts';
import type { RestoreWarnings } from './restore-warnings.ts';

/**
 * Remembers what was backed up immutable or append-only until everything has its final name: what carries such a
 * flag can be neither moved nor filled.
 */
export class FlagKeeper {
  readonly #waiting = new Map<ByteString, InodeFlags>();
  readonly #warnings: RestoreWarnings;

  constructor(warnings: RestoreWarnings) {
    this.#warnings = warnings;
  }

  note(path: ByteString, flags: InodeFlags): void {
    this.#waiting.set(path, flags);
  }

  /** Sets what was noted, the inner things before the folders they are in. */
  setAll(root: Place): void {
    for (const path of [...this.#waiting.keys()].reverse()) {
      using folders = new FoldersOnTheWay(root);
      const place = folders.placeOf(path);
      try {
        place?.folder.setFlags(place.name, this.#waiting.get(path) as InodeFlags);
      } catch (error) {
        if (!blamesOneFile(error)) throw error;
        this.#warnings.lost(
          path,
          'restore.flagNotKept',
          `could not be made immutable or append-only again (${systemCodeOf(error)})`,
        );
      }
    }
    this.#waiting.clear();
  }
}
