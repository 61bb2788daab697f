import type { Holding } from '../map/content-ref.ts';
import type { ObjectRanges } from '../port/manifest.ts';

/** A set of object numbers. */
class ObjectNumbers {
  private bits = new Uint8Array(64);

  add(first: number, last: number): void {
    if (first === 0) return;
    if (last >= this.bits.length) {
      const larger = new Uint8Array(Math.max(this.bits.length * 2, last + 1));
      larger.set(this.bits);
      this.bits = larger;
    }
    this.bits.fill(1, first, last + 1);
  }

  ranges(): ObjectRanges {
    const ranges: [number, number][] = [];
    this.bits.forEach((set, number) => {
      if (set === 0) return;
      const last = ranges[ranges.length - 1];
      if (last?.[1] === number - 1) last[1] = number;
      else ranges.push([number, number]);
    });
    return ranges;
  }
}

interface VolumeUsage {
  readonly packs: ObjectNumbers;
  readonly maps: ObjectNumbers;
  readonly tree: ObjectNumbers;
  bytes: number;
}

/** What a backup needs of each volume, collected entry by entry. */
export class ClosureUsage {
  private readonly volumes = new Map<number, VolumeUsage>();

  private of(volume: number): VolumeUsage {
    let usage = this.volumes.get(volume);
    if (usage === undefined) {
      usage = { packs: new ObjectNumbers(), maps: new ObjectNumbers(), tree: new ObjectNumbers(), bytes: 0 };
      this.volumes.set(volume, usage);
    }
    return usage;
  }

  content(holdings: readonly Holding[]): void {
    for (const holding of holdings) {
      const usage = this.of(holding.volume);
      usage.packs.add(holding.firstPack, holding.lastPack);
      usage.maps.add(holding.firstMap, holding.lastMap);
      usage.bytes += holding.bytes;
    }
  }

  treeObject(volume: number, object: number): void {
    this.of(volume).tree.add(object, object);
  }

  /** What is needed of a volume, and how many content bytes lie in it. */
  needs(volume: number): {
    needs: { packs: ObjectRanges; maps: ObjectRanges; tree: ObjectRanges };
    bytes: number;
  } {
    const usage = this.volumes.get(volume);
    if (usage === undefined) return { needs: { packs: [], maps: [], tree: [] }, bytes: 0 };
    const { packs, maps, tree, bytes } = usage;
    return { needs: { packs: packs.ranges(), maps: maps.ranges(), tree: tree.ranges() }, bytes };
  }
}
