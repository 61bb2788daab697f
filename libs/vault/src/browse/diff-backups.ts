import type { PagedBackupReader, EntryPage } from '../port/backup-reader.ts';
import type { StoredEntry } from '../port/entry.ts';
import { comparePaths } from '../port/path-order.ts';

/** What can be different of an entry that both backups have. */
export type EntryAspect =
  'kind' | 'content' | 'mode' | 'owner' | 'mtime' | 'linkTarget' | 'hardLink' | 'deviceNumber' | 'attributes';

/** One entry that is not the same in two backups. */
export type EntryDifference =
  | { readonly change: 'added'; readonly path: Uint8Array; readonly after: StoredEntry }
  | { readonly change: 'removed'; readonly path: Uint8Array; readonly before: StoredEntry }
  | {
      readonly change: 'changed';
      readonly path: Uint8Array;
      readonly before: StoredEntry;
      readonly after: StoredEntry;
      readonly aspects: readonly EntryAspect[];
    };

const none = new Uint8Array();
const same = (a: Uint8Array | undefined, b: Uint8Array | undefined) =>
  Buffer.compare(a ?? none, b ?? none) === 0;

function sameAttributes(a: StoredEntry, b: StoredEntry): boolean {
  const [left, right] = [a.xattrs ?? [], b.xattrs ?? []];
  return (
    left.length === right.length &&
    left.every(([name, value], index) => same(name, right[index]?.[0]) && same(value, right[index]?.[1]))
  );
}

/** By its SHA-256; content that has none is the same when it is the very same blocks. */
function sameContent(a: StoredEntry, b: StoredEntry): boolean {
  if (a.hardLink !== undefined || b.hardLink !== undefined) return true;
  const [left, right] = [a.content, b.content];
  if (left?.sha256 !== undefined && right?.sha256 !== undefined) return same(left.sha256, right.sha256);
  return same(left?.encoded, right?.encoded);
}

/** In what two entries of one path differ. */
export function differingAspects(a: StoredEntry, b: StoredEntry): EntryAspect[] {
  if (a.kind !== b.kind) return ['kind'];
  const differs: Record<Exclude<EntryAspect, 'kind'>, boolean> = {
    content: !sameContent(a, b),
    mode: a.mode !== b.mode,
    owner: a.uid !== b.uid || a.gid !== b.gid || a.user !== b.user || a.group !== b.group,
    mtime: a.mtime !== b.mtime,
    linkTarget: !same(a.linkTarget, b.linkTarget),
    hardLink: (a.hardLink === undefined) !== (b.hardLink === undefined) || !same(a.hardLink, b.hardLink),
    deviceNumber: a.deviceNumber !== b.deviceNumber,
    attributes: !sameAttributes(a, b),
  };
  return (Object.keys(differs) as (keyof typeof differs)[]).filter((aspect) => differs[aspect]);
}

/** One of both backups, read as far as it has to be. */
class Side {
  private readonly pages: AsyncIterator<EntryPage>;
  private page: EntryPage | undefined;
  private entries: readonly StoredEntry[] = [];
  private at = 0;

  constructor(reader: PagedBackupReader) {
    this.pages = reader.entryPages()[Symbol.asyncIterator]();
  }

  /** The page that comes next, when nothing is left of the one before it. */
  get untouched(): EntryPage | undefined {
    return this.page;
  }

  /** Path of the next entry; `undefined` at the end. */
  get path(): Uint8Array | undefined {
    return this.page?.first ?? this.entries[this.at]?.path;
  }

  /** Passes over the page that comes next. */
  async skipPage(): Promise<void> {
    const next = await this.pages.next();
    this.page = next.done === true ? undefined : next.value;
    this.entries = [];
    this.at = 0;
  }

  async take(): Promise<StoredEntry | undefined> {
    if (this.page !== undefined) {
      this.entries = await this.page.entries();
      this.at = 0;
      this.page = undefined;
    }
    const entry = this.entries[this.at];
    this.at += 1;
    if (this.at >= this.entries.length) await this.skipPage();
    return entry;
  }

  async end(): Promise<void> {
    await this.pages.return?.();
  }
}

/**
 * What is not the same in two backups, in canonical order. Only pages of entries are read, and not those that both share: they
 * hold the same. Inodes and the time of the last change of metadata are not compared.
 * @throws DamagedObjectError
 */
export async function* diffBackups(
  before: PagedBackupReader,
  after: PagedBackupReader,
): AsyncGenerator<EntryDifference> {
  const a = new Side(before);
  const b = new Side(after);
  try {
    await Promise.all([a.skipPage(), b.skipPage()]);
    for (;;) {
      const { path: left } = a;
      const { path: right } = b;
      if (left === undefined && right === undefined) return;
      const order = left === undefined ? 1 : right === undefined ? -1 : comparePaths(left, right);
      if (order === 0 && a.untouched && b.untouched && same(a.untouched.hash, b.untouched.hash)) {
        await Promise.all([a.skipPage(), b.skipPage()]);
        continue;
      }
      const old = order <= 0 ? await a.take() : undefined;
      const fresh = order >= 0 ? await b.take() : undefined;
      const difference = differenceOf(old, fresh);
      if (difference !== undefined) yield difference;
    }
  } finally {
    await Promise.all([a.end(), b.end()]);
  }
}

function differenceOf(
  before: StoredEntry | undefined,
  after: StoredEntry | undefined,
): EntryDifference | undefined {
  if (before === undefined) return after && { change: 'added', path: after.path, after };
  if (after === undefined) return { change: 'removed', path: before.path, before };
  const aspects = differingAspects(before, after);
  return aspects.length === 0 ? undefined : { change: 'changed', path: before.path, before, after, aspects };
}
