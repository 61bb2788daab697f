/** Names of relations as people give them to PostgreSQL's own programs. */
import { RestoreError } from '../../port/restore-error.ts';

export interface RelationName {
  readonly schema: string;
  readonly name: string;
}

export type MatchesRelation = (relation: RelationName) => boolean;

/** Where a name without a schema is looked for. */
const DEFAULT_SCHEMA = 'public';

/**
 * `accounts`, `sales.accounts`, `sales.*`, `"Odd.Name"`: folded to lower case outside of quotes, `*` and `?` stand for any
 * characters and for one, a name without a schema is in `public`.
 * @throws RestoreError `restore.tableUnknown` for what is no name.
 */
export function parseTablePattern(text: string): MatchesRelation {
  const parts = partsOf(text);
  const [first, second, more] = parts ?? [];
  if (first === undefined || more !== undefined || parts?.includes('') !== false) {
    throw new RestoreError('restore.tableUnknown', `'${text}' is not the name of a table.`, {
      remedy: 'Write schema.table, in double quotes what is not lower case: \'sales."Odd.Name"\'.',
    });
  }
  const [schema, name] = second === undefined ? [DEFAULT_SCHEMA, first] : [first, second];
  const schemaMatches = new RegExp(`^${schema}$`, 's');
  const nameMatches = new RegExp(`^${name}$`, 's');
  return (relation) => schemaMatches.test(relation.schema) && nameMatches.test(relation.name);
}

/** Each part as a regular expression; undefined when a quote is not closed. */
function partsOf(text: string): string[] | undefined {
  const parts: string[] = [''];
  let inQuotes = false;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text.charAt(at);
    if (letter === '"' && inQuotes && text.charAt(at + 1) === '"') at += 1;
    else if (letter === '"') {
      inQuotes = !inQuotes;
      continue;
    } else if (letter === '.' && !inQuotes) {
      parts.push('');
      continue;
    }
    parts.push((parts.pop() ?? '') + (inQuotes ? exactly(letter) : wild(letter)));
  }
  return inQuotes ? undefined : parts;
}

function wild(letter: string): string {
  if (letter === '*') return '.*';
  return letter === '?' ? '.' : exactly(letter.toLowerCase());
}

function exactly(letter: string): string {
  return letter.replace(/[\\^$.*+?()[\]{}|]/, '\\$&');
}
