/** Pages whose checksum is wrong, by what the server said and by what came over the wire behind that. */
import { isDamagedPage, PAGE_BYTES } from '../pages/page-checksum.ts';
import { firstBlock, relationFile } from '../pages/relation-file.ts';
import type { Notice } from '../wire/command.ts';

/** Damaged pages of one file of a relation. */
export interface DamagedFile {
  readonly path: string;
  readonly relation: string;
  /** Block numbers within the relation, ascending; at most the first thousand. */
  readonly blocks: readonly number[];
}

const NAMED_AT_MOST = 1000;
const DAMAGE = /checksum verification failed in file "([^"]+)", block (\d+)/;

/**
 * The server verifies each page before it sends it, and reads one again that looks torn, which nobody can do who only gets
 * its bytes: so it has the word on which files are damaged. It names the first five pages of each, ahead of their bytes;
 * from there on all of them are found here. What it finds nothing wrong with is not verified twice: that its bytes come
 * unchanged is what the hashes in its manifest are for.
 */
export class DamagedPages {
  readonly #start: bigint;
  readonly #notices: () => readonly Notice[];
  readonly #suspects = new Map<string, number[]>();
  #noticesSeen = 0;
  #isWarned = false;

  /**
   * @param start where the backup begins in the log: what was written since is made right by replaying it
   * @param notices what the server has said so far
   */
  constructor(start: bigint, notices: () => readonly Notice[]) {
    this.#start = start;
    this.#notices = notices;
  }

  /** Looks at whole pages of a file, if the server warned of any. @param page number of the first, within the file */
  look(path: string, bytes: Buffer, page: number): void {
    if (!this.#hasWarned()) return;
    const file = relationFile(path);
    if (file === undefined) return;
    const first = firstBlock(file) + page;
    for (let at = 0; at + PAGE_BYTES <= bytes.length; at += PAGE_BYTES) {
      const block = first + at / PAGE_BYTES;
      if (isDamagedPage(bytes.subarray(at, at + PAGE_BYTES), block, this.#start)) this.#suspect(path, block);
    }
  }

  #hasWarned(): boolean {
    const notices = this.#notices();
    if (this.#isWarned || notices.length === this.#noticesSeen) return this.#isWarned;
    this.#isWarned = notices.slice(this.#noticesSeen).some(({ message }) => DAMAGE.test(message));
    this.#noticesSeen = notices.length;
    return this.#isWarned;
  }

  /** What is damaged by the server's word, with every page of it that is known. */
  confirmed(): DamagedFile[] {
    const named = new Map<string, Set<number>>();
    for (const { message } of this.#notices()) {
      const match = DAMAGE.exec(message);
      if (match === null) continue;
      const path = (match[1] ?? '').replace(/^\.\//, '').replace(/^.*\/(pg_tblspc\/)/, '$1');
      const blocks = named.get(path) ?? new Set();
      // The server counts from the beginning of the segment's file.
      const file = relationFile(path);
      blocks.add(Number(match[2]) + (file === undefined ? 0 : firstBlock(file)));
      named.set(path, blocks);
    }
    return [...named].map(([said, blocks]) => {
      const path = this.#pathOf(said);
      for (const block of this.#suspects.get(path) ?? []) blocks.add(block);
      return {
        path,
        relation: relationFile(path)?.relation ?? path,
        blocks: [...blocks].sort((a, b) => a - b).slice(0, NAMED_AT_MOST),
      };
    });
  }

  /** Files of tablespaces are named by where they lie at the server; here they have the path in the backup. */
  #pathOf(said: string): string {
    if (this.#suspects.has(said)) return said;
    const end = /PG_[^/]+\/\d+\/[^/]+$/.exec(said)?.[0];
    return [...this.#suspects.keys()].find((path) => end !== undefined && path.endsWith(`/${end}`)) ?? said;
  }

  #suspect(path: string, block: number): void {
    const blocks = this.#suspects.get(path) ?? [];
    if (blocks.length < NAMED_AT_MOST) blocks.push(block);
    this.#suspects.set(path, blocks);
  }
}

/** For people: `base/5/16384, block 3, 7 and 9`. */
export function shownDamage({ path, blocks }: DamagedFile): string {
  const shown = blocks.slice(0, 10).join(', ');
  return `${path}, block${blocks.length === 1 ? '' : 's'} ${shown}${blocks.length > 10 ? ` and ${blocks.length - 10} more` : ''}`;
}
