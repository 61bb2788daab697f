/** The thread that opens units for readers. */
import type { OpenedUnit, SealedUnits } from './open-units.ts';
import { openUnits, RecentSeals } from './open-units.ts';
import { serveTasks } from '../workers/serve-tasks.ts';
import type { TaskContext } from '../workers/task.ts';
import { Transferring } from '../workers/task.ts';

function sealsOf({ state }: TaskContext): RecentSeals {
  const known = state.get('seals');
  if (known instanceof RecentSeals) return known;
  const seals = new RecentSeals();
  state.set('seals', seals);
  return seals;
}

export const readingTasks = {
  /** Opens units; `sealed.bytes` belongs to the thread from then on. */
  open(sealed: SealedUnits, context: TaskContext): Transferring<OpenedUnit[]> {
    const units = openUnits(sealed, sealsOf(context)).map((unit) =>
      unit instanceof Uint8Array ? owned(unit) : unit,
    );
    const buffers = new Set(
      units.flatMap((unit) => (unit instanceof Uint8Array ? [unit.buffer as ArrayBuffer] : [])),
    );
    // Its memory goes back at once, not when this thread comes to clean up.
    const { buffer } = sealed.bytes;
    if (buffer instanceof ArrayBuffer && !buffers.has(buffer)) buffer.transfer(0);
    return new Transferring(units, [...buffers]);
  },
};

/** The same bytes in memory that holds hardly anything else, so that it can change its owner. */
function owned(unit: Uint8Array): Uint8Array {
  const wasted = unit.buffer.byteLength - unit.byteLength;
  return wasted > 1024 || unit.byteLength <= 8192 ? Uint8Array.from(unit) : unit;
}

serveTasks(readingTasks);
