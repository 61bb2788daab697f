import type { Repository } from '../index.ts';

/** Waits until `count` packs of a run's attempt are there: the writer works ahead, what was added becomes durable a little later. */
export async function untilPacks(
  { store }: Repository,
  { run, attempt = 1 }: { readonly run: string; readonly attempt?: number },
  count: number,
): Promise<void> {
  for (;;) {
    let packs = 0;
    for await (const { name } of store.list(''))
      if (name.includes(`/${run}.${attempt}.`) && name.includes('/pack-')) packs++;
    if (packs >= count) return;
    await new Promise(setImmediate);
  }
}
