import type { DefinitionKind } from '@catena/events';
import type { ShapeProblem } from '../shape/problems-of-issues.ts';

/**
 * What the beginnings of paths stand for; known to whoever applies, not to the services. All absolute. An anchor that
 * is missing makes paths that need it a problem.
 */
export interface PathAnchors {
  /** The folder of the definition file, for relative paths. */
  readonly folder?: string | undefined;
  /** The home folder of the person, for `~/`. */
  readonly userHome?: string | undefined;
  /** The data folder, for `$CATENA_HOME/`. */
  readonly catenaHome?: string | undefined;
}

const DATA_FOLDER = '$CATENA_HOME';

/** Where paths are in a spec; `*` stands for each item of a list. */
const pathFields: Readonly<Record<DefinitionKind, readonly (readonly string[])[]>> = {
  Source: [
    ['files', 'path'],
    ['image', 'path'],
    ['postgres', 'password', 'file'],
    ['postgres', 'tls', 'ca'],
  ],
  Repository: [
    ['fs', 'path'],
    ['encryption', 'keys', '*', 'passphrase', 'file'],
    ['encryption', 'keys', '*', 'keyFile', 'path'],
  ],
  Schedule: [],
  Subscription: [['to', 'webhook', 'secret', 'file']],
  Limits: [],
};

/** The spec with absolute paths, and what could not be made absolute. Anything that is no text stays as it is. */
export function withAbsolutePaths(
  kind: DefinitionKind,
  spec: unknown,
  anchors: PathAnchors,
): { spec: unknown; problems: ShapeProblem[] } {
  const problems: ShapeProblem[] = [];
  const resolve = (text: string, path: readonly PropertyKey[]): string => {
    const resolved = absolutePath(text, anchors);
    if (typeof resolved === 'string') return resolved;
    problems.push({
      code: 'definition.path',
      path: ['spec', ...path],
      at: 'value',
      found: `"${text}"`,
      ...resolved,
    });
    return text;
  };
  let result = spec;
  for (const field of pathFields[kind]) result = mapTexts(result, field, [], resolve);
  if (kind === 'Subscription') {
    result = mapTexts(result, ['to', 'command', '*'], [], (word, path) =>
      word === DATA_FOLDER || word.startsWith(`${DATA_FOLDER}/`) ? resolve(word, path) : word,
    );
  }
  return { spec: result, problems };
}

function mapTexts(
  value: unknown,
  [step, ...rest]: readonly string[],
  path: readonly PropertyKey[],
  change: (text: string, path: readonly PropertyKey[]) => string,
): unknown {
  if (step === undefined) return typeof value === 'string' && value !== '' ? change(value, path) : value;
  if (Array.isArray(value) && step === '*') {
    return value.map((item, index) => mapTexts(item, rest, [...path, index], change));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, step)) {
    return value;
  }
  const map = value as Record<string, unknown>;
  return { ...map, [step]: mapTexts(map[step], rest, [...path, step], change) };
}

type Unresolved = Pick<ShapeProblem, 'expected' | 'remedy'>;

/** Absolute and without `.`, `..`, doubled and final slashes; or what to write instead. */
export function absolutePath(text: string, anchors: PathAnchors): string | Unresolved {
  if (text.startsWith('/')) return normalised(text);
  if (text === '~' || text.startsWith('~/')) return below(anchors.userHome, text.slice(1), 'a home folder');
  if (text === DATA_FOLDER || text.startsWith(`${DATA_FOLDER}/`)) {
    return below(anchors.catenaHome, text.slice(DATA_FOLDER.length), 'a data folder');
  }
  if (text.startsWith('~') || text.startsWith('$')) {
    return {
      expected: 'a path that begins with /, ~/, $CATENA_HOME/ or a folder name',
      remedy: 'Nothing else is replaced in a path. For a folder of that very name write ./ before it.',
    };
  }
  return below(anchors.folder, `/${text}`, 'a folder of the file');
}

function below(anchor: string | undefined, rest: string, what: string): string | Unresolved {
  if (anchor !== undefined) return normalised(`${anchor}${rest}`);
  return { expected: 'an absolute path', remedy: `Here nobody knows ${what} to start from.` };
}

function normalised(path: string): string {
  const steps: string[] = [];
  for (const step of path.split('/')) {
    if (step === '..') steps.pop();
    else if (step !== '' && step !== '.') steps.push(step);
  }
  return `/${steps.join('/')}`;
}

/** Whether a normalised path is a folder or lies in it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
}
