import type { UnitSpan } from '../container/contents-table.ts';
import { decodeUnitSpans } from '../container/contents-table.ts';
import { decodeFooter } from '../container/object-footer.ts';
import type { ObjectIdentity } from '../container/object-header.ts';
import { decodeHeader, FOOTER_BYTES, HEADER_BYTES } from '../container/object-header.ts';
import type { UnitPlace } from '../container/object-series-writer.ts';
import { decodeUnit } from '../container/unit-codec.ts';
import { unitSeal } from '../container/unit-seal.ts';
import { MalformedBytesError } from '../codec/byte-reader.ts';
import type { Keyring } from '../key/keyring.ts';
import type { CollectionContext } from '../repository/collection-context.ts';
import { attemptOfVolume, numberOf } from '../repository/layout.ts';
import type { KnownBlock } from './known-blocks.ts';
import { idKey } from './known-blocks.ts';

/** Packs after the one that was used last whose tables are held. An attempt goes through the source in the same order as the one before. */
const AHEAD = 48;
/** Packs before it whose tables are held. */
const BEHIND = 96;
/** Blocks that are held (some 150 bytes each): of packs that compress well there are very many. */
const MOST_BLOCKS = 150_000;
/** Packs on either side that are held however many blocks they have: several threads fill packs side by side. */
const NEAR = 2;

/** A volume of an earlier attempt of the same run. */
export interface LeftoverVolume {
  readonly number: number;
  readonly id: string;
  readonly attempt: number;
  readonly key?: string;
  /** Size of pack n at n - 1; 0 for one that never became durable. */
  readonly packSizes: readonly number[];
  blockBytes: number;
}

interface LeftoverPack {
  readonly volume: LeftoverVolume;
  readonly object: number;
  readonly name: string;
  readonly size: number;
}

/** Blocks that earlier attempts of a run made durable, found again by the tables at the end of their packs. */
export class LeftoverBlocks {
  readonly volumes: readonly LeftoverVolume[];
  private readonly context: CollectionContext;
  private readonly keyring: Keyring | undefined;
  private readonly packs: readonly LeftoverPack[];
  private readonly mostBlocks: number;
  private readonly blocks = new Map<string, KnownBlock & { readonly pack: number }>();
  private readonly keysOfPack = new Map<number, readonly string[]>();
  private loaded = 0;
  private loading: Promise<void> | undefined;

  private constructor(
    context: CollectionContext,
    keyring: Keyring | undefined,
    volumes: readonly LeftoverVolume[],
    packs: readonly LeftoverPack[],
    mostBlocks: number,
  ) {
    this.mostBlocks = mostBlocks;
    this.context = context;
    this.keyring = keyring;
    this.volumes = volumes;
    this.packs = packs;
  }

  /** @param firstNumber the number the first leftover volume gets; `undefined` when there is nothing to use again */
  static async find(
    context: CollectionContext,
    keyring: Keyring | undefined,
    folder: string,
    run: string,
    firstNumber: number,
    mostBlocks = MOST_BLOCKS,
  ): Promise<LeftoverBlocks | undefined> {
    const { store, layout } = context;
    const parent = layout.backup(folder);
    const volumes: LeftoverVolume[] = [];
    const packs: LeftoverPack[] = [];
    for (const name of (await store.listFolder(parent)).folders) {
      const attempt = attemptOfVolume(name, run);
      if (attempt === undefined) continue;
      const { objects } = await store.listFolder(`${parent}${name}/`);
      const found = objects
        .filter((object) => object.name.includes('/pack-'))
        .map((object) => ({ ...object, object: numberOf(object.name) ?? 0 }));
      const identity = found[0] && decodeHeader(await store.read(found[0].name, 0, HEADER_BYTES));
      if (identity === undefined || identity.origin !== context.place.origin) continue;
      const packSizes = Array.from({ length: found.at(-1)?.object ?? 0 }, () => 0);
      for (const { object, size } of found) packSizes[object - 1] = size;
      const volume: LeftoverVolume = {
        number: firstNumber + volumes.length,
        id: identity.volume,
        attempt,
        ...(identity.key === undefined ? {} : { key: identity.key }),
        packSizes,
        blockBytes: 0,
      };
      volumes.push(volume);
      packs.push(
        ...found.map(({ object, name: packName, size }) => ({ volume, object, name: packName, size })),
      );
    }
    return packs.length === 0 ? undefined : new LeftoverBlocks(context, keyring, volumes, packs, mostBlocks);
  }

  async find(key: string): Promise<KnownBlock | undefined> {
    if (this.loaded === 0) this.loadAround(0);
    if (this.loading !== undefined) await this.loading;
    const found = this.blocks.get(key);
    if (found === undefined) return undefined;
    this.loadAround(found.pack);
    if (this.loading !== undefined) await this.loading;
    return found;
  }

  private loadAround(pack: number): void {
    if (this.loading !== undefined || !this.mayLoad(pack)) return;
    const loading = this.load(pack).finally(() => (this.loading = undefined));
    loading.catch(() => undefined); // thrown to whoever waits for it
    this.loading = loading;
  }

  private mayLoad(pack: number): boolean {
    const ahead = this.blocks.size < this.mostBlocks ? AHEAD : NEAR + 1;
    return this.loaded < Math.min(pack + ahead, this.packs.length);
  }

  private async load(pack: number): Promise<void> {
    do {
      this.forgetBefore(pack - BEHIND, 0);
      this.forgetBefore(pack - NEAR, this.mostBlocks);
      if (!this.mayLoad(pack)) return;
      const next = this.loaded++;
      const leftover = this.packs[next];
      if (leftover !== undefined) await this.loadPack(next, leftover);
    } while (this.mayLoad(pack));
  }

  /** Lets the tables before a pack go, the oldest first, until fewer than so many blocks are held. */
  private forgetBefore(pack: number, blocks: number): void {
    for (const [held, keys] of this.keysOfPack) {
      if (held >= pack || this.blocks.size < blocks) return;
      this.forget(held, keys);
    }
  }

  /** A leftover that cannot be used is as if it were not there: its blocks are stored again. */
  private async loadPack(index: number, { volume, object, name, size }: LeftoverPack): Promise<void> {
    const { store } = this.context;
    const footer = decodeFooter(await store.read(name, size - FOOTER_BYTES, FOOTER_BYTES));
    if (footer === undefined || footer.contentsOffset + footer.contentsLength > size) return;
    const identity: ObjectIdentity = {
      kind: 'pack',
      number: object,
      volume: volume.id,
      origin: this.context.place.origin,
      ...(volume.key === undefined ? {} : { key: volume.key }),
    };
    const secret = volume.key === undefined ? undefined : this.keyring?.key(volume.key).secret;
    const sealed = await store.read(name, footer.contentsOffset, footer.contentsLength);
    const opened = unitSeal(identity, secret).open(sealed, footer.contentsOffset);
    if (opened === undefined) return;
    let within: UnitSpan | undefined;
    let unit: UnitPlace | undefined;
    let start = 0;
    const keys: string[] = [];
    this.keysOfPack.set(index, keys);
    let blockBytes = 0;
    const note = (span: UnitSpan, bytes: number, id: Buffer) => {
      if (unit === undefined || span !== within) {
        within = span;
        unit = { volume: volume.number, object, ...span };
        start = 0;
      }
      const key = idKey(id);
      keys.push(key);
      // The first of several: what is asked for next lies behind it.
      if (!this.blocks.has(key)) this.blocks.set(key, { unit, start, size: bytes, pack: index });
      start += bytes;
      blockBytes += bytes;
    };
    try {
      decodeUnitSpans(await decodeUnit(opened), footer.units, note);
      volume.blockBytes += blockBytes;
    } catch (error) {
      if (!(error instanceof MalformedBytesError)) throw error;
      this.forget(index, keys);
    }
  }

  private forget(pack: number, keys: readonly string[]): void {
    for (const key of keys) if (this.blocks.get(key)?.pack === pack) this.blocks.delete(key);
    this.keysOfPack.delete(pack);
  }
}
