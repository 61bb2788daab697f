import type { Hash } from 'node:crypto';
import { createHash } from 'node:crypto';
import type { SealedUnits } from '../container/open-units.ts';
import { giveBack, RecentSeals } from '../container/open-units.ts';
import type { TaskContext } from '../workers/task.ts';

/** The next bytes of an object that is being checked. */
export interface CheckedBytes {
  /** Name of the object. */
  readonly object: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly start: number;
  /** Units that must open, if there is a key. */
  readonly units: SealedUnits['units'];
  readonly seal?: Pick<SealedUnits, 'identity' | 'secret'>;
}

function kept<T>({ state }: TaskContext, name: string, make: () => T): T {
  if (!state.has(name)) state.set(name, make());
  return state.get(name) as T;
}

const hashOf = (context: TaskContext, object: string): Hash =>
  kept(context, `hash of ${object}`, () => createHash('sha256'));

/** The bytes of one object must all be given to one thread, in order. */
export const checkingTasks = {
  /** Hashes what comes next; answers the offsets of the units that do not open. The bytes are gone afterwards. */
  check({ object, bytes, start, units, seal }: CheckedBytes, context: TaskContext): number[] {
    hashOf(context, object).update(bytes);
    const wrong = seal === undefined ? [] : wrongUnits(seal);
    // Their memory goes back at once, not when this thread comes to clean up.
    bytes.buffer.transfer(0);
    return wrong.map(({ offset }) => offset);

    function wrongUnits(of: Pick<SealedUnits, 'identity' | 'secret'>): SealedUnits['units'] {
      const open = kept(context, 'seals', () => new RecentSeals()).of(of);
      return units.filter(({ offset, length }) => {
        const sealed = bytes.subarray(offset - start, offset - start + length);
        const opened = open.open(sealed, offset);
        if (opened !== undefined) giveBack(opened, bytes);
        return opened === undefined;
      });
    }
  },

  /** SHA-256 of everything that was given of an object, which is forgotten. */
  digest(object: string, context: TaskContext): Uint8Array {
    const digest = hashOf(context, object).digest();
    context.state.delete(`hash of ${object}`);
    return digest;
  },
};
