import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  Scalar,
  type Alias,
  type Document,
  type YAMLError,
} from 'yaml';
import type { DefinitionProblem } from '../problem.ts';
import type { ShapeProblem } from '../shape/problems-of-issues.ts';

/** Where a value of a document stands in its file; offsets from the start of the text. */
interface Place {
  name?: number;
  value: number;
  /** Where the characters of a one-line text begin, so that a fault within it can be pointed at. */
  text?: number;
}

/** More values than any definition has; aliases of aliases could otherwise grow without bound. */
const MOST_VALUES = 20_000;
const DEEPEST = 100;

/** One YAML document as plain data, which can say where each part of it stands. */
export class LocatedDocument {
  readonly file: string;
  readonly value: unknown;
  readonly #places = new Map<string, Place>();
  readonly #lines: LineCounter;
  #values = 0;

  constructor(file: string, document: Document.Parsed, lines: LineCounter) {
    this.file = file;
    this.#lines = lines;
    this.value = this.#read(document.contents, [], document);
  }

  /** Gives a problem its place. A path that is not there is reported at the nearest part above it. */
  locate({ path, at, offset, ...problem }: ShapeProblem & { field: string }): DefinitionProblem {
    const place = this.#places.get(keyOf(path));
    const start =
      place === undefined || at === 'holder'
        ? this.#nearest(path)
        : at === 'name'
          ? (place.name ?? place.value)
          : this.#within(place, offset);
    const { line, col } = this.#lines.linePos(start);
    return { ...problem, file: this.file, line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  #within(place: Place, offset: number | undefined): number {
    return offset !== undefined && place.text !== undefined ? place.text + offset : place.value;
  }

  #nearest(path: readonly PropertyKey[]): number {
    for (let length = path.length; length >= 0; length--) {
      const place = this.#places.get(keyOf(path.slice(0, length)));
      if (place) return place.name ?? place.value;
    }
    return 0;
  }

  #read(node: unknown, path: readonly PropertyKey[], document: Document.Parsed, seenAt?: number): unknown {
    this.#values += 1;
    if (this.#values > MOST_VALUES || path.length > DEEPEST) {
      throw new UnreadableValueError(seenAt ?? 0, 'values that unfold to too much', 'a definition');
    }
    if (isAlias(node)) return this.#readAlias(node, path, document, seenAt ?? node.range?.[0] ?? 0);
    const place = this.#placeOf(path);
    place.value = seenAt ?? startOf(node) ?? place.name ?? 0;
    if (isMap(node)) {
      const entries = node.items.map((pair) => {
        const name = isScalar(pair.key) ? String(pair.key.value) : '?';
        const inner = [...path, name];
        this.#placeOf(inner).name = seenAt ?? startOf(pair.key) ?? place.value;
        return [name, this.#read(pair.value, inner, document, seenAt)] as const;
      });
      return Object.fromEntries(entries);
    }
    if (isSeq(node))
      return node.items.map((item, index) => this.#read(item, [...path, index], document, seenAt));
    if (!isScalar(node)) return null;
    const begin = seenAt === undefined ? textStart(node) : undefined;
    if (begin !== undefined) place.text = begin;
    return node.value;
  }

  #readAlias(alias: Alias, path: readonly PropertyKey[], document: Document.Parsed, seenAt: number): unknown {
    const target = alias.resolve(document);
    if (!target) throw new UnreadableValueError(seenAt, 'an alias of nothing', 'an anchor before it');
    return this.#read(target, path, document, seenAt);
  }

  #placeOf(path: readonly PropertyKey[]): Place {
    const key = keyOf(path);
    const known = this.#places.get(key);
    if (known) return known;
    const place: Place = { value: 0 };
    this.#places.set(key, place);
    return place;
  }
}

/** A value that the YAML parser let through and that says nothing. */
class UnreadableValueError extends Error {
  readonly offset: number;
  readonly found: string;
  readonly expected: string;

  constructor(offset: number, found: string, expected: string) {
    super(found);
    this.offset = offset;
    this.found = found;
    this.expected = expected;
  }
}

function keyOf(path: readonly PropertyKey[]): string {
  return JSON.stringify(path.map(String));
}

function startOf(node: unknown): number | undefined {
  if (!isScalar(node) && !isMap(node) && !isSeq(node)) return undefined;
  return node.range?.[0];
}

/** Only where each character of the text is one character of the file. */
function textStart(node: Scalar): number | undefined {
  if (typeof node.value !== 'string' || !node.range) return undefined;
  const quotes = node.type === Scalar.QUOTE_DOUBLE || node.type === Scalar.QUOTE_SINGLE ? 1 : 0;
  const [start, end] = node.range;
  return end - start - 2 * quotes === node.value.length ? start + quotes : undefined;
}

/** What a file holds: documents that can be read, and what cannot. */
export interface ReadDocuments {
  readonly documents: readonly LocatedDocument[];
  readonly problems: readonly DefinitionProblem[];
}

/** Reads all documents of a YAML text; empty ones are left out. */
export function readDocuments(file: string, text: string): ReadDocuments {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  const documents: LocatedDocument[] = [];
  const problems: DefinitionProblem[] = [];
  for (const document of parsed) {
    const errors = onePerLine([...document.errors, ...document.warnings], lines);
    problems.push(...errors.map((error) => yamlProblem(error, file, text, lines)));
    if (!('contents' in document) || isEmpty(document) || errors.some(({ code }) => !READABLE.has(code)))
      continue;
    try {
      documents.push(new LocatedDocument(file, document, lines));
    } catch (error) {
      if (!(error instanceof UnreadableValueError)) throw error;
      const { line, col } = lines.linePos(error.offset);
      problems.push({ ...wholeFileProblem(file, error.found, error.expected), line, column: col });
    }
  }
  if (documents.length === 0 && problems.length === 0) {
    problems.push(wholeFileProblem(file, 'no document', 'at least one definition'));
  }
  return { documents, problems };
}

/** Faults after which the rest of the document still says what its author meant. */
const READABLE: ReadonlySet<string> = new Set(['BAD_SCALAR_START', 'DUPLICATE_KEY']);

function isEmpty(document: Document.Parsed): boolean {
  const { contents } = document;
  return contents === null || (isScalar(contents) && contents.value === null);
}

function wholeFileProblem(file: string, found: string, expected: string): DefinitionProblem {
  return { code: 'definition.yaml', file, line: 1, column: 1, field: '', found, expected };
}

/** One slip often makes the parser complain several times about the same line. */
function onePerLine(errors: readonly YAMLError[], lines: LineCounter): YAMLError[] {
  const seen = new Set<number>();
  return errors.filter((error) => {
    const { line } = lines.linePos(error.pos[0]);
    if (seen.has(line)) return false;
    seen.add(line);
    return true;
  });
}

function yamlProblem(error: YAMLError, file: string, text: string, lines: LineCounter): DefinitionProblem {
  const { line, col } = lines.linePos(error.pos[0]);
  const source = text.slice(lines.lineStarts[line - 1] ?? 0).split(/\r?\n/, 1)[0] ?? '';
  const unquoted = /^\s*(?:- )?[\w.-]+:\s+([*@{%`].*)$/.exec(source);
  if (error.code === 'DUPLICATE_KEY') {
    const name = /^[\w.-]+/.exec(source.slice(col - 1))?.[0] ?? 'a field';
    return {
      ...wholeFileProblem(file, `the field "${name}" a second time`, 'it once'),
      line,
      column: col,
    };
  }
  return {
    ...wholeFileProblem(file, `YAML that cannot be read (${lowerFirst(error.message)})`, 'valid YAML'),
    line,
    column: unquoted ? source.indexOf(unquoted[1] ?? '') + 1 : col,
    remedy: unquoted ? `A text that begins with "${unquoted[1]?.[0]}" needs quotes.` : undefined,
  };
}

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
