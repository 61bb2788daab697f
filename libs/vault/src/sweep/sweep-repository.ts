import { crashPoint } from '../crash-point.ts';
import type { ObjectStore, StoredObject } from '../port/object-store.ts';
import type { CollectionContext } from '../repository/collection-context.ts';
import { partsOfObject } from '../repository/layout.ts';
import { closeFolder } from '../repository/swept-folder.ts';
import { findLeftovers, type RunLeftovers } from './find-leftovers.ts';
import type { Leftover, SweepOptions, SweepReport } from './sweep-options.ts';

/** Objects of a volume go in the opposite order of writing. */
const ORDER = ['tree', 'map', 'pack'] as const;

/**
 * Removes what interrupted and superseded attempts left: objects that no manifest lists, of runs that are over, and
 * unfinished objects that nobody writes to. Needs no key. Repeating it, doing it twice at once, or being killed in it
 * harms nothing.
 */
export async function sweepRepository(
  store: ObjectStore,
  collections: readonly CollectionContext[],
  options: SweepOptions,
): Promise<SweepReport> {
  const sweep = new Sweep(options);
  for (const context of collections) await sweep.collection(context);
  await sweep.unfinishedIn(store);
  return sweep.report;
}

class Sweep {
  private readonly options: SweepOptions;
  private readonly swept: Leftover[] = [];
  private readonly left: SweepReport['left'][number][] = [];
  private readonly unsure: SweepReport['unsure'][number][] = [];
  private readonly unfinished = { objects: 0, bytes: 0 };
  private readonly total = { objects: 0, bytes: 0 };

  constructor(options: SweepOptions) {
    this.options = options;
  }

  get report(): SweepReport {
    const { swept, left, unsure, unfinished, total } = this;
    return { swept, left, unsure, unfinished, ...total };
  }

  async collection(context: CollectionContext): Promise<void> {
    this.options.signal?.throwIfAborted();
    const { collection } = context.place;
    const found = await findLeftovers(context);
    if ('unreadable' in found) this.unsure.push({ collection, manifest: found.unreadable });
    else for (const one of found.leftovers) await this.leftovers(context, one);
  }

  private async leftovers(context: CollectionContext, one: RunLeftovers): Promise<void> {
    const { signal, standingOf, assertHeld, dryRun } = this.options;
    signal?.throwIfAborted();
    const standing = await standingOf(one.run);
    if (standing !== 'over') {
      this.left.push({ ...leftoverOf(context, one, one.objects), standing });
      return;
    }
    await assertHeld?.();
    if (dryRun === true) {
      this.count(context, one, one.objects);
      return;
    }
    // The run has its backup, or it is made sure that it never gets one.
    if (!one.hasManifest && !(await closeFolder(context, one.run, one.folder))) return;
    crashPoint('vault.sweptClosed');
    const removed: StoredObject[] = [];
    for (const object of inOrder(one.objects)) {
      signal?.throwIfAborted();
      if (await context.store.delete(object.name)) removed.push(object);
      crashPoint('vault.sweptObject');
    }
    this.count(context, one, removed);
  }

  private count(context: CollectionContext, one: RunLeftovers, objects: readonly StoredObject[]): void {
    const leftover = leftoverOf(context, one, objects);
    this.swept.push(leftover);
    this.add(leftover);
  }

  private add({ objects, bytes }: { readonly objects: number; readonly bytes: number }): void {
    this.total.objects += objects;
    this.total.bytes += bytes;
    this.options.onProgress?.(this.total);
  }

  /** Nothing refers to an unfinished object; one that is taken from a writer at work costs it its attempt, no more. */
  async unfinishedIn(store: ObjectStore): Promise<void> {
    const { idleMilliseconds, dryRun, signal, assertHeld } = this.options;
    await assertHeld?.();
    for (const one of await store.listUnfinished()) {
      signal?.throwIfAborted();
      if (one.idleMilliseconds < idleMilliseconds) continue;
      if (dryRun !== true && !(await store.removeUnfinished(one.name))) continue;
      this.unfinished.objects += 1;
      this.unfinished.bytes += one.size;
      this.add({ objects: 1, bytes: one.size });
    }
  }
}

function leftoverOf(
  { place }: CollectionContext,
  { run, folder }: RunLeftovers,
  objects: readonly StoredObject[],
): Leftover {
  const bytes = objects.reduce((sum, { size }) => sum + size, 0);
  return { collection: place.collection, run, folder, objects: objects.length, bytes };
}

function inOrder(objects: readonly StoredObject[]): StoredObject[] {
  const rank = ({ name }: StoredObject) => {
    const kind = partsOfObject(name.slice(name.lastIndexOf('/') + 1))?.kind;
    return kind === undefined ? ORDER.length : ORDER.indexOf(kind);
  };
  return [...objects].sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? 1 : -1));
}
