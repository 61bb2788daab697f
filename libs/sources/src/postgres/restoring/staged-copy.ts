/**
 * What a restore of a cluster has made and not shown yet: the staged data folder, and tablespaces, which are in their
 * places before it. A next attempt of the same run goes on with them, but not when a server has run on them: what
 * a server has changed is no longer what the backup holds.
 */
import { chmod, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { removeMade } from '../../files/restoring/made-folders.ts';
import { discardStaged } from '../../files/restoring/restore-files.ts';
import { stagedTree } from '../../files/restoring/target-place.ts';
import type { RestoreOptions } from '../../port/source-driver.ts';
import type { ExpectedEnd } from '../scratch/expected-end.ts';
import { freedBy } from './delta/tree-survey.ts';
import { makeWay } from './open-way.ts';
import { tryCopy, type TriedCopy } from '../scratch/try-copy.ts';

/** Lets the server's user through to the tree in it, and marks that a server has run. */
const TRIED = 0o711;
const STAGED = 0o700;

export class StagedCopy {
  readonly #target: string;
  readonly #options: RestoreOptions;
  readonly #tablespaces: readonly string[];
  readonly #made: string[] = [];
  #owns = false;

  /** @param tablespaces where they go */
  constructor(target: string, options: RestoreOptions, tablespaces: readonly string[]) {
    this.#target = target;
    this.#options = options;
    this.#tablespaces = tablespaces;
  }

  /** Whether an earlier attempt of the run has left something to go on with. */
  async isResumed(): Promise<boolean> {
    const mode = await this.#stagingMode();
    if (mode === TRIED) {
      discardStaged(this.#target, this.#options.run);
      await this.#removeTablespaces();
    }
    this.#owns = true;
    return mode === STAGED;
  }

  /** Makes the folders above its places so that a server of another account gets through. */
  openWay(): void {
    for (const place of [this.#target, ...this.#tablespaces]) this.#made.push(...makeWay(place));
  }

  /** Bytes on disk of what an earlier attempt has left for this one: of the data folder, or of a tablespace in its place. */
  async leftAt(tablespace?: string): Promise<number> {
    const place = tablespace ?? (await this.#staging());
    return place === undefined ? 0 : await freedBy(place);
  }

  /** Starts a server on the staged tree, once. */
  async tryOnce(tree: string, expected: ExpectedEnd): Promise<TriedCopy> {
    const { cluster, signal } = this.#options;
    const staging = path.dirname(tree);
    await chmod(staging, TRIED);
    const { programs: bin, superuser } = cluster ?? {};
    return await tryCopy({ folder: tree, bin, superuser, signal }, expected);
  }

  /** Removes what is staged, and the tablespaces, when there will be no further attempt. */
  async giveUp(error: unknown): Promise<void> {
    if (!this.#owns) return;
    const { onFailure, run } = this.#options;
    const decision = typeof onFailure === 'function' ? await onFailure(error) : onFailure;
    if (decision === 'keep') return;
    discardStaged(this.#target, run);
    await this.#removeTablespaces();
    removeMade(this.#made);
  }

  /** It is in its place: nothing of it is to be removed any more. */
  isVisible(): void {
    this.#owns = false;
  }

  async #removeTablespaces(): Promise<void> {
    const own = `${this.#target}.tablespaces`;
    // A folder that a person made for a tablespace stays, empty as it was.
    for (const place of this.#tablespaces)
      for (const name of await readdir(place).catch((): string[] => []))
        await rm(path.join(place, name), { recursive: true, force: true });
    await rm(own, { recursive: true, force: true });
  }

  /** Where it is staged; undefined while there is not even a folder for that. */
  async #staging(): Promise<string | undefined> {
    const parent = await stat(path.dirname(this.#target)).catch(() => undefined);
    return parent === undefined ? undefined : path.dirname(stagedTree(this.#target, this.#options.run));
  }

  async #stagingMode(): Promise<number | undefined> {
    const staging = await this.#staging();
    const status = staging === undefined ? undefined : await stat(staging).catch(() => undefined);
    return status === undefined ? undefined : status.mode & 0o777;
  }
}
