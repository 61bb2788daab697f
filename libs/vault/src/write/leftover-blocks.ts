import { decodeContents } from '../container/contents-table.ts';
import { decodeFooter } from '../container/object-footer.ts';
import type { ObjectIdentity } from '../container/object-header.ts';
import { decodeHeader, FOOTER_BYTES, HEADER_BYTES } from '../container/object-header.ts';
import { decodeUnit } from '../container/unit-codec.ts';
import { unitSeal } from '../container/unit-seal.ts';
import { MalformedBytesError } from '../codec/byte-reader.ts';
import type { Keyring } from '../key/keyring.ts';
import type { CollectionContext } from '../repository/collection-context.ts';
import { attemptOfVolume, numberOf } from '../repository/layout.ts';
import type { KnownBlock } from './known-blocks.ts';
import { idKey } from './known-blocks.ts';

/** Packs whose tables are held in memory. An attempt goes through the source in the same order as the one before. */
const WINDOW = 48;

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
  private readonly blocks = new Map<string, KnownBlock & { readonly pack: number }>();
  private readonly keysOfPack = new Map<number, readonly string[]>();
  private loaded = 0;

  private constructor(
    context: CollectionContext,
    keyring: Keyring | undefined,
    volumes: readonly LeftoverVolume[],
    packs: readonly LeftoverPack[],
  ) {
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
    return packs.length === 0 ? undefined : new LeftoverBlocks(context, keyring, volumes, packs);
  }

  async find(key: string): Promise<KnownBlock | undefined> {
    if (this.loaded === 0) await this.loadUpTo(WINDOW);
    const found = this.blocks.get(key);
    if (found === undefined) return undefined;
    await this.loadUpTo(found.pack + WINDOW);
    return found;
  }

  private async loadUpTo(end: number): Promise<void> {
    while (this.loaded < Math.min(end, this.packs.length)) {
      const pack = this.loaded++;
      const leftover = this.packs[pack];
      if (leftover !== undefined) await this.load(pack, leftover);
      for (const key of this.keysOfPack.get(pack - 2 * WINDOW) ?? []) this.blocks.delete(key);
      this.keysOfPack.delete(pack - 2 * WINDOW);
    }
  }

  /** A leftover that cannot be used is as if it were not there: its blocks are stored again. */
  private async load(index: number, { volume, object, name, size }: LeftoverPack): Promise<void> {
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
    const contents = await decodeUnit(opened)
      .then((plain) => decodeContents(plain, footer.units))
      .catch((error: unknown) => {
        if (error instanceof MalformedBytesError) return [];
        throw error;
      });
    const keys: string[] = [];
    for (const { offset, length, blocks } of contents) {
      const unit = { volume: volume.number, object, offset, length };
      let start = 0;
      for (const block of blocks) {
        const key = idKey(block.id);
        keys.push(key);
        this.blocks.set(key, { unit, start, size: block.size, pack: index });
        start += block.size;
      }
      volume.blockBytes += start;
    }
    this.keysOfPack.set(index, keys);
  }
}
