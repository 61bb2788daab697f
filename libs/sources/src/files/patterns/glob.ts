/**
 * Globs with the meaning of gitignore(5), compiled to regular expressions over bytes: names need not be UTF-8, so a
 * path is matched as a string with one character per byte (latin1) and the glob is turned into the same form.
 */

import { byteStringOf } from '../../system-calls/index.ts';

const classes: Record<string, string> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  blank: ' \\t',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '\\x21-\\x7e',
  lower: 'a-z',
  print: '\\x20-\\x7e',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\t-\\r ',
  upper: 'A-Z',
  xdigit: '0-9A-Fa-f',
};

/** Matches nothing: what git makes of a glob that is not closed. */
const never = '(?!)';

function literal(character: string): string {
  return /[A-Za-z0-9_]/.test(character)
    ? character
    : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** The bracket expression that begins at `start`, and where it ends; undefined when it never ends. */
function bracket(glob: string, start: number): { source: string; end: number } | undefined {
  let at = start + 1;
  const negated = glob[at] === '!' || glob[at] === '^';
  if (negated) at += 1;
  let body = '';
  for (let first = true; ; first = false) {
    const character = glob[at];
    if (character === undefined) return undefined;
    if (character === ']' && !first) break;
    const named = /^\[:([a-z]+):\]/.exec(glob.slice(at));
    if (named) {
      const members = classes[named[1] as string];
      if (members === undefined) return undefined;
      body += members;
      at += named[0].length;
      continue;
    }
    const low = character === '\\' ? glob[(at += 1)] : character;
    if (low === undefined) return undefined;
    at += 1;
    if (glob[at] !== '-' || glob[at + 1] === ']' || glob[at + 1] === undefined) {
      body += literal(low);
      continue;
    }
    at += 1;
    const high = glob[at] === '\\' ? glob[(at += 1)] : glob[at];
    if (high === undefined) return undefined;
    at += 1;
    body += low <= high ? `${literal(low)}-${literal(high)}` : literal(low);
  }
  return { source: `(?!/)[${negated ? '^' : ''}${body}]`, end: at + 1 };
}

/**
 * The source of a regular expression for a glob in byte form; `*` and `?` stop at a slash.
 *
 * What stands between two stars of one name is bound to the first place where it fits (a lookahead that is then
 * taken as a whole): a later place could never match more, and trying them all takes exponential time.
 */
function sourceOf(glob: string): string {
  let source = '';
  let groups = 0;
  let star: number | undefined;
  const bindStar = (): void => {
    if (star === undefined) return;
    groups += 1;
    source = `${source.slice(0, star)}(?=(${source.slice(star).replace('[^/]*', '[^/]*?')}))\\${groups}(?:)`;
  };
  for (let at = 0; at < glob.length;) {
    const character = glob[at] as string;
    if (character === '*') {
      let end = at;
      while (glob[end] === '*') end += 1;
      const wholeSegment =
        end - at >= 2 && (at === 0 || glob[at - 1] === '/') && (end === glob.length || glob[end] === '/');
      if (!wholeSegment) {
        bindStar();
        star = source.length;
        source += '[^/]*';
      } else if (end === glob.length) source += '.*';
      else {
        source += '(?:.*/)?';
        star = undefined;
        end += 1;
      }
      at = end;
    } else if (character === '?') {
      source += '[^/]';
      at += 1;
    } else if (character === '[') {
      const parsed = bracket(glob, at);
      if (!parsed) return never;
      source += parsed.source;
      at = parsed.end;
    } else {
      const escaped = character === '\\' ? glob[(at += 1)] : character;
      if (escaped === undefined) return never;
      if (escaped === '/') star = undefined;
      source += escaped === '/' ? '/' : literal(escaped);
      at += 1;
    }
  }
  return source;
}

/** One line with gitignore's meaning. */
export interface Glob {
  /** As it was written. */
  text: string;
  negated: boolean;
  foldersOnly: boolean;
  /** Whether it is matched against the whole path (it has a slash) or against the last name only. */
  anchored: boolean;
  whole: RegExp;
  /** For an anchored glob: what the first 1, 2, … names of a path must look like for something below to match. */
  prefixes: RegExp[];
  /** Whether it can match at any depth below its prefixes (it has a `**`). */
  anyDepth: boolean;
}

function expression(source: string): RegExp {
  return new RegExp(`^${source}$`, 's');
}

/** Compiles one line; undefined for an empty line or a comment. */
export function compileGlob(line: string): Glob | undefined {
  let glob: string = byteStringOf(Buffer.from(line));
  glob = glob.replace(/(?<!\\)((?:\\\\)*) +$/, '$1');
  if (glob === '' || glob.startsWith('#')) return undefined;
  const negated = glob.startsWith('!');
  if (negated) glob = glob.slice(1);
  const foldersOnly = glob.endsWith('/');
  if (foldersOnly) glob = glob.slice(0, -1);
  const anchored = glob.includes('/');
  if (glob.startsWith('/')) glob = glob.slice(1);
  const segments = glob.split('/');
  const deep = segments.indexOf('**');
  const fixed = deep === -1 ? segments.slice(0, -1) : segments.slice(0, deep);
  return {
    text: line,
    negated,
    foldersOnly,
    anchored,
    whole: expression(glob === '' ? never : sourceOf(glob)),
    prefixes: anchored
      ? fixed.map((_, index) => expression(sourceOf(segments.slice(0, index + 1).join('/'))))
      : [],
    anyDepth: !anchored || deep !== -1,
  };
}
