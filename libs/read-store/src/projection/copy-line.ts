import type { EntityMetadata } from 'typeorm';

/** How rows of one table become lines of `copy … from stdin`. */
export interface CopyFormat {
  /** `copy run ("run", "kind", …) from stdin`, without a schema: the search path names it. */
  readonly statement: string;
  line(row: Readonly<Record<string, unknown>>, validFrom: number, validTo: number | null): string;
}

type Encoder = (value: unknown) => string;

const NULL = '\\N';

/** Reads the columns of an entity, so that bulk loading knows no table by itself. */
export function copyFormatOf(metadata: EntityMetadata): CopyFormat {
  const columns = metadata.columns.filter(
    ({ propertyName }) => propertyName !== 'validFrom' && propertyName !== 'validTo',
  );
  const encoders = columns.map((column): [string, Encoder] => [
    column.propertyName,
    column.isArray ? textArray : column.type === 'json' ? json : column.type === 'bigint' ? plain : text,
  ]);
  const names = [...columns.map((column) => column.databaseName), 'valid_from', 'valid_to'];
  return {
    statement: copyStatement(metadata.tableName, names),
    line(row, validFrom, validTo) {
      let line = '';
      for (const [property, encode] of encoders) {
        const value = row[property];
        line += (value === null ? NULL : encode(value)) + '\t';
      }
      return `${line}${validFrom}\t${validTo === null ? NULL : validTo}\n`;
    },
  };
}

export function copyStatement(table: string, columns: readonly string[]): string {
  return `copy "${table}" (${columns.map((name) => `"${name}"`).join(', ')}) from stdin`;
}

const NEEDS_ESCAPE = /[\\\n\r\t\0]/;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function text(value: unknown): string {
  const whole = String(value);
  return NEEDS_ESCAPE.test(whole) ? escaped(whole) : whole;
}

/** PostgreSQL's text cannot hold NUL; the replacement character stands for it, the same in every copy. */
function escaped(value: string): string {
  return value.replace(/[\\\n\r\t\0]/g, (character) => ESCAPES[character] ?? '\uFFFD');
}

/** JSON text has no control characters of its own; only its backslashes mean something to COPY. */
function json(value: unknown): string {
  const whole = JSON.stringify(value);
  return whole.includes('\\') ? whole.replaceAll('\\', '\\\\') : whole;
}

function plain(value: unknown): string {
  return String(value);
}

function textArray(value: unknown): string {
  const elements = (value as readonly string[]).map(
    (element) => `"${element.replace(/["\\]/g, (character) => `\\${character}`)}"`,
  );
  return text(`{${elements.join(',')}}`);
}
