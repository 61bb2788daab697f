/** What of a tree is taken: `exclude` wins over `include`, and inside a list the last line that matches decides. */
import type { ByteString } from '../../system-calls/index.ts';
import { compileGlob, type Glob } from './glob.ts';

/** `take`; `skip` with all below; `look`: not taken itself, but something below may be. */
export type Choice = 'take' | 'skip' | 'look';

export class Selection {
  readonly #include: Glob[];
  readonly #exclude: Glob[];

  constructor(patterns: {
    include?: readonly string[] | undefined;
    exclude?: readonly string[] | undefined;
  }) {
    this.#include = compile(patterns.include);
    this.#exclude = compile(patterns.exclude);
  }

  /** Whether everything is taken, so that no path needs to be looked at. */
  get takesAll(): boolean {
    return this.#include.length === 0 && this.#exclude.length === 0;
  }

  /** Whether things are only taken when a line of `include` says so. */
  get isNarrowed(): boolean {
    return this.#include.length > 0;
  }

  /**
   * @param path relative to the root, without a slash at either end
   * @param parentTaken whether the folder it is in was taken (then so is what is in it, unless excluded)
   */
  choose(path: ByteString, isFolder: boolean, parentTaken: boolean): Choice {
    if (this.takesAll) return 'take';
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (verdict(this.#exclude, path, name, isFolder) === true) return 'skip';
    if (!this.isNarrowed) return 'take';
    const included = verdict(this.#include, path, name, isFolder);
    if (included ?? parentTaken) return 'take';
    return isFolder && this.#mayHoldMore(path) ? 'look' : 'skip';
  }

  #mayHoldMore(path: string): boolean {
    const depth = path.split('/').length;
    return this.#include.some((glob) => {
      if (glob.negated) return false;
      const { prefixes } = glob;
      if (depth > prefixes.length) {
        if (!glob.anyDepth) return false;
        const last = prefixes.at(-1);
        return last === undefined || last.test(path.split('/').slice(0, prefixes.length).join('/'));
      }
      return prefixes[depth - 1]?.test(path) ?? false;
    });
  }
}

function compile(lines: readonly string[] = []): Glob[] {
  return lines.map((line) => compileGlob(line)).filter((glob) => glob !== undefined);
}

function verdict(globs: readonly Glob[], path: string, name: string, isFolder: boolean): boolean | undefined {
  for (let index = globs.length - 1; index >= 0; index -= 1) {
    const glob = globs[index] as Glob;
    if (glob.foldersOnly && !isFolder) continue;
    if (glob.whole.test(glob.anchored ? path : name)) return !glob.negated;
  }
  return undefined;
}
