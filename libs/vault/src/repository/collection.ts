import { composeFull } from '../compose/compose-full.ts';
import type { ComposeOptions, ComposePlan } from '../compose/compose-plan.ts';
import { BackupMissingError } from '../error/repository-error.ts';
import { DataKeyMissingError } from '../error/key-error.ts';
import type { KeyReport } from '../key/key-report.ts';
import { keyReport } from '../key/key-report.ts';
import type { SlotKey } from '../key/keyring.ts';
import type { KeyringDocument } from '../key/keyring-document.ts';
import type { ScryptCost } from '../key/unlock-key.ts';
import type { PagedBackupReader } from '../port/backup-reader.ts';
import type { BackupWriter, FinishedBackup } from '../port/backup-writer.ts';
import type { Manifest } from '../port/manifest.ts';
import type { ReadOptions } from '../read/read-options.ts';
import { VaultBackupReader } from '../read/vault-backup-reader.ts';
import { repairFrom } from '../verify/repair.ts';
import type { VerifyOptions, VerifyReport } from '../verify/verify-collection.ts';
import { verifyCollection } from '../verify/verify-collection.ts';
import { readVerifications } from '../verify/verification-record.ts';
import type { Damage } from '../error/damaged-object-error.ts';
import { DamagedObjectError } from '../error/damaged-object-error.ts';
import type { BackupName, BackupPlan, WriteOptions } from '../write/backup-plan.ts';
import { beginBackup } from '../write/begin-backup.ts';
import { adoptManifest } from '../write/write-manifest.ts';
import type { FoundBackup, UnreadableBackup } from './backup-finder.ts';
import { authenticateManifest, backupFolders, findBackups, readManifest } from './backup-finder.ts';
import type { CollectionContext } from './collection-context.ts';
import type { LatestDocument, VerificationDocument } from './documents.ts';
import type { KeyringStore } from './keyring-store.ts';
import { readLatest } from './latest.ts';
import { bytesOfVolumes, folderOfRun } from './run-folder.ts';

/** One source's backups in one repository. */
export class Collection {
  readonly id: string;
  private readonly context: CollectionContext;
  private readonly keyrings: KeyringStore;
  private readonly scrypt: ScryptCost;

  constructor(context: CollectionContext, keyrings: KeyringStore, scrypt: ScryptCost) {
    this.id = context.place.collection;
    this.context = context;
    this.keyrings = keyrings;
    this.scrypt = scrypt;
  }

  /**
   * Starts a backup. Packs that earlier attempts of the run made durable are used again.
   * @throws BackupRefusedError, BackupMissingError, LockedError, KeyRequiredError, DamagedObjectError
   */
  async beginBackup(plan: BackupPlan, options: WriteOptions = {}): Promise<BackupWriter> {
    options.signal?.throwIfAborted();
    const keyring = this.context.encrypted ? await this.keyrings.openOrCreate() : undefined;
    const name = plan.type === 'differential' ? plan.base : plan.parent;
    const before = name === undefined ? undefined : (await this.backup(name)).manifest;
    if (before !== undefined) await authenticateManifest(this.context, before);
    return beginBackup(this.context, keyring, plan, before, options);
  }

  /**
   * Composes a full that owns its bytes out of a backup that is there, without reading the source. Every block is checked;
   * when one is damaged nothing comes of it, and the error names object, backup and files.
   * @throws BackupRefusedError, BackupMissingError, LockedError, NoSpaceToComposeError, DamagedObjectError
   */
  async compose(plan: ComposePlan, options: ComposeOptions = {}): Promise<FinishedBackup> {
    options.signal?.throwIfAborted();
    const keyring = this.context.encrypted ? await this.keyrings.open() : undefined;
    const { manifest } = await this.backup(plan.from);
    await authenticateManifest(this.context, manifest);
    return composeFull(this.context, keyring, plan, manifest, options);
  }

  /** The backup a run has made, if it has: its manifest is there. Reads only. */
  async findManifest(run: string): Promise<FoundBackup | undefined> {
    const folder = await folderOfRun(this.context, run);
    const found = folder === undefined ? undefined : await readManifest(this.context, folder);
    return found?.manifest.run === run ? found : undefined;
  }

  /** Bytes that attempts of a run have stored, whether it has made its backup or not. */
  async storedBy(run: string): Promise<number> {
    const folder = await folderOfRun(this.context, run);
    return folder === undefined ? 0 : await bytesOfVolumes(this.context, run, folder);
  }

  /** As `findManifest`, for the mover that takes the backup over: also finishes what its maker may not have come to. */
  async adopt(run: string): Promise<FinishedBackup | undefined> {
    const folder = await folderOfRun(this.context, run);
    return folder === undefined ? undefined : adoptManifest(this.context, folder, run);
  }

  /** Every backup, oldest chain first, from manifests in clear: needs no key. What cannot be read is named. */
  listBackups(): AsyncIterable<FoundBackup | UnreadableBackup> {
    return findBackups(this.context);
  }

  /**
   * One backup by its id, or faster by the name of its manifest; with the hash the log recorded that is checked too.
   * @throws BackupMissingError, DamagedObjectError
   */
  async backup(name: BackupName): Promise<FoundBackup> {
    const wanted = typeof name === 'string' ? name : name.backupId;
    const found = (await this.namedBackup(name)) ?? (await this.searchBackup(wanted));
    if (found === undefined) throw new BackupMissingError(this.id, wanted);
    if (typeof name !== 'string' && name.hash !== undefined && name.hash !== found.ref.hash)
      throw new DamagedObjectError({
        object: found.ref.name,
        reason: 'content differs from its hash',
        backups: [wanted],
        files: [],
      });
    return found;
  }

  /**
   * Backups by their ids, in the order of asking, in one pass over the manifests; nothing of them is opened.
   * @throws BackupMissingError
   */
  async backups(ids: readonly string[]): Promise<FoundBackup[]> {
    const wanted = new Set(ids);
    const found = new Map<string, FoundBackup>();
    if (wanted.size > 0)
      for await (const one of this.listBackups()) {
        if (!('manifest' in one) || !wanted.has(one.manifest.backup)) continue;
        found.set(one.manifest.backup, one);
        if (found.size === wanted.size) break;
      }
    return ids.map((id) => {
      const one = found.get(id);
      if (one === undefined) throw new BackupMissingError(this.id, id);
      return one;
    });
  }

  /** A name of it that no collection of another repository has: 32 hexadecimal digits. */
  get origin(): string {
    return this.context.place.origin;
  }

  /** Where backups have their manifests, or will when they are finished. No manifest is read. */
  async folders(): Promise<string[]> {
    const folders: string[] = [];
    for await (const folder of backupFolders(this.context)) folders.push(folder);
    return folders;
  }

  /** Where log backups have their manifests, in the order in which they were begun. No manifest is read. */
  async logFolders(): Promise<string[]> {
    const folders: string[] = [];
    for await (const folder of backupFolders(this.context, ['logs'])) folders.push(folder);
    return folders;
  }

  /**
   * The backup in a folder that `folders` or `logFolders` named; undefined when none was finished there.
   * @throws DamagedObjectError
   */
  async backupIn(folder: string): Promise<FoundBackup | undefined> {
    return await readManifest(this.context, folder);
  }

  private async namedBackup(name: BackupName): Promise<FoundBackup | undefined> {
    const { folder } = this.context.layout;
    if (typeof name === 'string' || name.name === undefined) return undefined;
    if (!name.name.startsWith(`${folder}/`) || !name.name.endsWith('/manifest.json')) return undefined;
    const found = await readManifest(
      this.context,
      name.name.slice(folder.length + 1, -'/manifest.json'.length),
    );
    return found?.manifest.backup === name.backupId ? found : undefined;
  }

  private async searchBackup(backup: string): Promise<FoundBackup | undefined> {
    for await (const found of this.listBackups())
      if ('manifest' in found && found.manifest.backup === backup) return found;
    return undefined;
  }

  /**
   * Opens a backup for reading. With a key at hand the manifest is authenticated first.
   * @throws BackupMissingError, LockedError, DataKeyMissingError, DamagedObjectError
   */
  async openBackup(name: BackupName, options: ReadOptions = {}): Promise<PagedBackupReader> {
    return this.reader((await this.backup(name)).manifest, options);
  }

  private async reader(manifest: Manifest, options: ReadOptions): Promise<VaultBackupReader> {
    try {
      await authenticateManifest(this.context, manifest);
      return await VaultBackupReader.open(this.context, manifest, options);
    } catch (error) {
      if (!(error instanceof DataKeyMissingError)) throw error;
      const lost = (await this.keyReport()).dataKeys.find(({ id }) => id === error.key);
      throw new DataKeyMissingError(this.id, error.key, lost?.backups);
    }
  }

  /**
   * Checks backups without restoring them. Damage is in the report, with the files and backups it hits, never thrown.
   * Works without a key as far as the objects' own hashes go.
   */
  verify(options: VerifyOptions): Promise<VerifyReport> {
    return verifyCollection(this.context, options);
  }

  /** Records of earlier verifications, newest first. */
  verifications(): AsyncIterable<VerificationDocument> {
    return readVerifications(this.context);
  }

  /**
   * Makes damage good with the same bytes from a copy of this collection: what is missing is put back, what is damaged
   * gets a repair overlay, so that it works where objects cannot be overwritten.
   * @returns whether the copy had what was needed
   */
  repair(damage: Damage, copy: Collection): Promise<boolean> {
    return repairFrom(this.context, damage, copy.context);
  }

  /** The newest conventional full, as `LATEST` says. */
  latest(): Promise<LatestDocument | undefined> {
    return readLatest(this.context);
  }

  /** Who can open the collection, from the newest keyring in clear; `undefined` before the first encrypted backup. */
  keyring(): Promise<KeyringDocument | undefined> {
    return this.keyrings.newest();
  }

  /** Slots and data keys, with what each data key opens; keys that are needed and lost are named. Needs no key. */
  async keyReport(): Promise<KeyReport> {
    const manifests: Manifest[] = [];
    for await (const found of this.listBackups()) if ('manifest' in found) manifests.push(found.manifest);
    return keyReport(this.id, await this.keyring(), manifests);
  }

  /** Text that opens this collection for ever, without passphrase or key file. A secret. */
  async exportKey(): Promise<string> {
    return (await this.keyrings.open()).recovery();
  }

  /** Lets one more key open the collection; no data is touched. */
  async addKey(key: SlotKey): Promise<void> {
    await this.keyrings.change((keyring) => keyring.withSlot(key, this.scrypt, this.context.now()));
  }

  /** Newer keyrings leave the slot out. Not revocation: who had the key may have kept what it opened. */
  async removeKey(slot: string): Promise<void> {
    await this.keyrings.change((keyring) => keyring.withoutSlot(slot, this.context.now()));
  }

  /** New objects get a new data key from now on; what is there stays readable. */
  async rotateKey(): Promise<void> {
    await this.keyrings.change((keyring) => keyring.rotated(this.context.now()));
  }
}
