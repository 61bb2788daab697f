/** Pages whose checksum is wrong, by what the server said and by what came over the wire. */
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

/**
 * The server reads a page again when it looks torn, which nobody can do who only gets its bytes: so it has the word on
 * which files are damaged. It names five pages of each; here all of them are found.
 */
export class DamagedPages {
  readonly #start: bigint;
  readonly #suspects = new Map<string, number[]>();

  /** @param start where the backup begins in the log: what was written since is made right by replaying it */
  constructor(start: bigint) {
    this.#start = start;
  }

  /** Looks at whole pages of a file. @param page number of the first of them, within the file */
  look(path: string, bytes: Buffer, page: number): void {
    const file = relationFile(path);
    if (file === undefined) return;
    const first = firstBlock(file) + page;
    for (let at = 0; at + PAGE_BYTES <= bytes.length; at += PAGE_BYTES) {
      const block = first + at / PAGE_BYTES;
      if (isDamagedPage(bytes.subarray(at, at + PAGE_BYTES), block, this.#start)) this.#suspect(path, block);
    }
  }

  /** What is damaged by the server's word, with every page of it that is known. */
  confirmed(notices: readonly Notice[]): DamagedFile[] {
    const named = new Map<string, Set<number>>();
    for (const { message } of notices) {
      const match = /checksum verification failed in file "([^"]+)", block (\d+)/.exec(message);
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
