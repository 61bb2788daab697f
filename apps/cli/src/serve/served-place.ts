import type { BackupView } from '@catena/events';
import type { BackupReader } from '@catena/vault';
import { BackupTree, type ServedEntry } from './backup-tree.ts';

/** A folder that is a backup or holds some. */
export interface ShelfFolder {
  readonly name: string;
  /** When the backup was taken, ISO 8601. */
  readonly modified?: string;
}

/** A folder above the backups, or something in one of them. */
export type ServedPlace =
  | { readonly kind: 'shelf'; readonly folders: readonly ShelfFolder[]; readonly modified?: string }
  | { readonly kind: 'entry'; readonly tree: BackupTree; readonly entry: ServedEntry };

/** What is served: one backup, all of one source, or all of all sources. */
export type Served =
  | { readonly kind: 'backup'; readonly view: BackupView }
  | { readonly kind: 'source'; readonly list: () => Promise<readonly BackupView[]> }
  | { readonly kind: 'sources'; readonly list: () => Promise<readonly BackupView[]> };

const LATEST = 'latest';
/** Backups that stay open between requests. */
const MOST_OPEN = 8;
/** How old the list of backups may be. */
const LIST_MILLISECONDS = 5_000;

/** A time that may be the name of a folder everywhere: `2026-11-01T03.00.00Z`. */
function folderOfTime(asOf: string): string {
  return `${asOf.slice(0, 19).replaceAll(':', '.')}Z`;
}

/** Folder names of the backups of one source, oldest first; two of one second are told apart by their ids. */
function namedByTime(backups: readonly BackupView[]): Map<string, BackupView> {
  const sorted = [...backups].sort((a, b) => (a.asOf < b.asOf ? -1 : a.asOf > b.asOf ? 1 : 0));
  const names = new Map<string, BackupView>();
  for (const view of sorted) {
    const name = folderOfTime(view.asOf);
    names.set(names.has(name) ? `${name} ${view.backup}` : name, view);
  }
  const newest = sorted.at(-1);
  if (newest !== undefined) names.set(LATEST, newest);
  return names;
}

const textOf = (name: Uint8Array) => Buffer.from(name).toString('utf8');

/** Finds what a path means. Backups are opened when somebody looks into them. */
export class ServedPlaces {
  readonly #served: Served;
  readonly #open: (view: BackupView) => Promise<BackupReader>;
  readonly #trees = new Map<string, Promise<BackupTree>>();
  #listed: { at: number; views: Promise<readonly BackupView[]> } | undefined;

  constructor(served: Served, open: (view: BackupView) => Promise<BackupReader>) {
    this.#served = served;
    this.#open = open;
  }

  /**
   * What is there; a backup that is looked into has to be released afterwards.
   * @throws DamagedObjectError, and what opening a backup throws
   */
  async find(names: readonly Uint8Array[]): Promise<ServedPlace | undefined> {
    if (this.#served.kind === 'backup') return this.#inBackup(this.#served.view, names);
    const views = await this.#list();
    if (this.#served.kind === 'source') return this.#inSource(views, names);
    const [source, ...rest] = names;
    const sources = [...new Set(views.map((view) => view.source))].sort();
    if (source === undefined) return { kind: 'shelf', folders: sources.map((name) => ({ name })) };
    const ofSource = views.filter((view) => view.source === textOf(source));
    return ofSource.length === 0 ? undefined : this.#inSource(ofSource, rest);
  }

  async #inSource(
    views: readonly BackupView[],
    [folder, ...rest]: readonly Uint8Array[],
  ): Promise<ServedPlace | undefined> {
    const byTime = namedByTime(views);
    if (folder === undefined) {
      const folders = [...byTime].map(([name, { asOf }]) => ({ name, modified: asOf }));
      const newest = byTime.get(LATEST);
      return { kind: 'shelf', folders, ...(newest === undefined ? {} : { modified: newest.asOf }) };
    }
    const view = byTime.get(textOf(folder));
    return view === undefined ? undefined : this.#inBackup(view, rest);
  }

  async #inBackup(view: BackupView, names: readonly Uint8Array[]): Promise<ServedPlace | undefined> {
    const tree = await this.#treeOf(view);
    tree.hold();
    try {
      const entry = await tree.find(names);
      if (entry !== undefined) return { kind: 'entry', tree, entry };
    } catch (error) {
      await tree.release();
      throw error;
    }
    await tree.release();
    return undefined;
  }

  #treeOf(view: BackupView): Promise<BackupTree> {
    const id = `${view.collection}/${view.backup}`;
    const known = this.#trees.get(id);
    this.#trees.delete(id);
    const tree = known ?? this.#open(view).then((reader) => new BackupTree(reader));
    this.#trees.set(id, tree);
    if (known === undefined) tree.catch(() => this.#trees.delete(id));
    for (const [oldest, old] of this.#trees) {
      if (this.#trees.size <= MOST_OPEN) break;
      this.#trees.delete(oldest);
      old.then(
        (opened) => opened.retire(),
        () => undefined, // it was never opened, which was said to whoever asked
      );
    }
    return tree;
  }

  #list(): Promise<readonly BackupView[]> {
    if (this.#served.kind === 'backup') return Promise.resolve([this.#served.view]);
    const now = performance.now();
    if (this.#listed === undefined || now - this.#listed.at > LIST_MILLISECONDS) {
      this.#listed = { at: now, views: this.#served.list() };
      this.#listed.views.catch(() => (this.#listed = undefined));
    }
    return this.#listed.views;
  }
}
