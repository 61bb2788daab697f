import { KeyRequiredError, KeyringMissingError } from '../error/key-error.ts';
import { Keyring } from '../key/keyring.ts';
import type { KeyringPlace, SlotKey } from '../key/keyring.ts';
import type { KeyringDocument } from '../key/keyring-document.ts';
import { keyringDocument } from '../key/keyring-document.ts';
import type { ScryptCost, UnlockKey } from '../key/unlock-key.ts';
import { openDocument, sealDocument } from '../manifest/sealed-document.ts';
import type { ObjectStore } from '../port/object-store.ts';
import { readWhole } from '../store/read-whole.ts';
import type { CollectionLayout } from './layout.ts';
import { numberOf } from './layout.ts';

export interface KeyringStoreOptions {
  readonly store: ObjectStore;
  readonly layout: CollectionLayout;
  readonly place: KeyringPlace;
  readonly keys: readonly UnlockKey[];
  readonly scrypt: ScryptCost;
  readonly now: () => Date;
}

/** The keyrings of one collection: numbered objects, each written once; the highest number counts. */
export class KeyringStore {
  private readonly options: KeyringStoreOptions;
  private opening: Promise<Keyring> | undefined;

  constructor(options: KeyringStoreOptions) {
    this.options = options;
  }

  /** The newest keyring document, as anybody can read it; `undefined` before the first encrypted backup. */
  async newest(): Promise<KeyringDocument | undefined> {
    const { store, layout } = this.options;
    const { objects } = await store.listFolder(layout.keys());
    const names = objects.map((object) => object.name).filter((name) => numberOf(name) !== undefined);
    const newest = names.sort().at(-1);
    if (newest === undefined) return undefined;
    return openDocument(newest, await readWhole(store, newest), 'catena-keyring', keyringDocument).document;
  }

  /**
   * The keyring, opened once.
   * @throws LockedError, KeyringMissingError
   */
  open(): Promise<Keyring> {
    this.opening ??= this.openNewest();
    this.opening.catch(() => (this.opening = undefined));
    return this.opening;
  }

  private async openNewest(): Promise<Keyring> {
    const { place, keys, layout } = this.options;
    const document = await this.newest();
    if (document === undefined) throw new KeyringMissingError(place.collection, layout.keys());
    return Keyring.open(document, place, keys);
  }

  /**
   * The keyring, for writing; the first one is made when there is none. Every key that was given opens it from now on: one that
   * has come to the definition since gets a slot. Keys are told apart by kind and name; one without a name is not looked for.
   */
  async openOrCreate(): Promise<Keyring> {
    if ((await this.newest()) === undefined) await this.create();
    const { keys, scrypt, now } = this.options;
    for (const key of keys) {
      if (key.kind === 'recovery' || key.name === undefined) continue;
      if (hasSlotFor((await this.open()).document, key)) continue;
      await this.change((keyring) =>
        hasSlotFor(keyring.document, key) ? undefined : keyring.withSlot(key, scrypt, now()),
      );
    }
    return this.open();
  }

  private async create(): Promise<void> {
    const { place, keys, scrypt, now } = this.options;
    const slots = keys.filter((key): key is SlotKey => key.kind !== 'recovery');
    if (slots.length === 0) throw new KeyRequiredError(place.collection);
    const keyring = await Keyring.create(place, slots, scrypt, now());
    // When somebody else was first, theirs is the keyring and `open` reads it.
    await this.put(keyring.document);
  }

  private async put(document: KeyringDocument): Promise<boolean> {
    const { store, layout } = this.options;
    const bytes = sealDocument(document);
    return store.putIfAbsent(layout.keyring(document.number), bytes);
  }

  /**
   * Writes the next keyring; when somebody else wrote one meanwhile, the change is made to theirs. `undefined`: there is
   * nothing to change.
   */
  async change(
    next: (keyring: Keyring) => Promise<KeyringDocument> | KeyringDocument | undefined,
  ): Promise<void> {
    for (;;) {
      this.opening = undefined;
      const document = await next(await this.open());
      if (document === undefined) return;
      const written = await this.put(document);
      this.opening = undefined;
      if (written) return;
    }
  }
}

function hasSlotFor({ slots }: KeyringDocument, { kind, name }: SlotKey): boolean {
  return slots.some((slot) => slot.kind === kind && slot.name === name);
}
