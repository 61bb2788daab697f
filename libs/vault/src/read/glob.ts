/** Bytes as characters, which is what globs and paths are compared as. */
const charactersOf = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

/** One step of a glob: a character that stands for itself, or what stands for several. */
type Step = { readonly literal: string } | { readonly pattern: string };

const SPECIAL = /[\\^$.*+?()[\]{}|]/;
/** What a backslash makes literal: `\\`, `\*`, `\?`, `\[`, and a byte as `\xNN`. Others stand for themselves. */
const ESCAPED = /^\\(?:x([0-9a-fA-F]{2})|([\\*?[]))/;
const SET = /^\[(!?)([^\]]+)\]/;

function* steps(glob: string): Iterable<Step> {
  let rest = charactersOf(glob.replace(/^\/+|\/+$/g, ''));
  while (rest !== '') {
    const [step, length] = stepOf(rest);
    yield step;
    rest = rest.slice(length);
  }
}

function stepOf(rest: string): [step: Step, length: number] {
  const char = rest.charAt(0);
  const escaped = ESCAPED.exec(rest);
  if (escaped !== null) {
    const [whole, hex, literal = ''] = escaped;
    return [{ literal: hex === undefined ? literal : String.fromCharCode(parseInt(hex, 16)) }, whole.length];
  }
  const set = SET.exec(rest);
  if (set?.[2] !== undefined)
    return [
      { pattern: `[${set[1] === '!' ? '^/' : ''}${set[2].replace(/[\\^\]]/g, '\\$&')}]` },
      set[0].length,
    ];
  if (rest.startsWith('**/')) return [{ pattern: '(?:.*/)?' }, 3];
  if (rest.startsWith('**')) return [{ pattern: '.*' }, 2];
  if (char === '*') return [{ pattern: '[^/]*' }, 1];
  if (char === '?') return [{ pattern: '[^/]' }, 1];
  return [{ literal: char }, 1];
}

/** Whether a match takes what is beneath it too. */
export type GlobReach = 'with what is beneath' | 'itself';

/**
 * One glob as a regular expression over paths whose bytes are characters. `*` and `?` stay within a name, `**` goes
 * over several, `[abc]` and `[!a-c]` are one character.
 */
function expression(glob: string, reach: GlobReach): RegExp {
  let out = '';
  for (const step of steps(glob)) {
    if ('pattern' in step) out += step.pattern;
    else out += SPECIAL.test(step.literal) ? `\\${step.literal}` : step.literal;
  }
  return new RegExp(`^${out}${reach === 'itself' ? '' : '(?:/.*)?'}$`, 's');
}

/** A test for paths that match any of the globs or, unless only `itself` is asked for, lie beneath a match. */
export function globMatcher(
  globs: readonly string[],
  reach: GlobReach = 'with what is beneath',
): (path: Uint8Array) => boolean {
  const expressions = globs.map((glob) => expression(glob, reach));
  return (path) => {
    const text = Buffer.from(path).toString('latin1');
    return expressions.some((candidate) => candidate.test(text));
  };
}

/** The bytes that every match of a glob begins with. */
function beginningOf(glob: string): string {
  let beginning = '';
  for (const step of steps(glob)) {
    if ('pattern' in step) break;
    beginning += step.literal;
  }
  return beginning;
}

/** Whether a text has anything in it that makes it match more than one path. */
export function isGlob(text: string): boolean {
  return [...steps(text)].some((step) => 'pattern' in step);
}

/**
 * The beginnings of paths that need to be looked at to find all matches, none of them beginning with another. In the
 * canonical order everything that begins alike stands together, so each is one stretch of the entries.
 */
export function globBeginnings(globs: readonly string[]): Uint8Array[] {
  const sorted = [...new Set(globs.map(beginningOf))].sort((a, b) => a.length - b.length);
  const needed = sorted.filter((one, index) =>
    sorted.slice(0, index).every((shorter) => !one.startsWith(shorter)),
  );
  return needed.map((beginning) => Buffer.from(beginning, 'latin1'));
}

/** A glob that matches one path and nothing else beside it, whatever characters it has. */
export function globOfPath(path: Uint8Array): string {
  return [...path]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      if (/[\\*?[]/.test(char)) return `\\${char}`;
      return byte < 0x20 || byte > 0x7e ? `\\x${byte.toString(16).padStart(2, '0')}` : char;
    })
    .join('');
}
