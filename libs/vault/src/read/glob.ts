const SPECIAL = /[\\^$.*+?()[\]{}|]/;

/**
 * One glob as a regular expression over paths whose bytes are characters. `*` and `?` stay within a name, `**` goes
 * over several, `[abc]` and `[!a-c]` are one character. A match also takes everything beneath it.
 */
function expression(glob: string): RegExp {
  const text = Buffer.from(glob.replace(/^\/+|\/+$/g, ''), 'utf8').toString('latin1');
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const rest = text.slice(i);
    const char = rest.charAt(0);
    const set = /^\[(!?)([^\]]+)\]/.exec(rest);
    if (rest.startsWith('**/')) {
      out += '(?:.*/)?';
      i += 2;
    } else if (rest.startsWith('**')) {
      out += '.*';
      i += 1;
    } else if (char === '*') out += '[^/]*';
    else if (char === '?') out += '[^/]';
    else if (set?.[2] !== undefined) {
      out += `[${set[1] === '!' ? '^/' : ''}${set[2].replace(/[\\^\]]/g, '\\$&')}]`;
      i += set[0].length - 1;
    } else out += SPECIAL.test(char) ? `\\${char}` : char;
  }
  return new RegExp(`^${out}(?:/.*)?$`, 's');
}

/** A test for paths that match any of the globs or lie beneath a match. */
export function globMatcher(globs: readonly string[]): (path: Uint8Array) => boolean {
  const expressions = globs.map(expression);
  return (path) => {
    const text = Buffer.from(path).toString('latin1');
    return expressions.some((candidate) => candidate.test(text));
  };
}
