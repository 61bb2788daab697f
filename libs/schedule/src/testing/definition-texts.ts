import { parseDefinitions, type ParsedDefinitions } from '../definitions/parse-definitions.ts';
import type { KnownDefinition } from '../definitions/rules/world.ts';

/** What the beginnings of paths stand for in tests. */
export const anchors = { folder: '/etc/catena', userHome: '/home/ann', catenaHome: '/var/lib/catena' };

/** Reads a text as the file `a.yaml`. */
export function parseText(text: string, known: readonly KnownDefinition[] = []): ParsedDefinitions {
  return parseDefinitions([{ name: 'a.yaml', text, anchors }], known);
}

/** A Source "docs" and a Repository "vault" that are defined already. */
export const docsAndVault: readonly KnownDefinition[] = [
  { kind: 'Source', name: 'docs', spec: { driver: 'files', files: { path: '/srv/docs' } } },
  { kind: 'Repository', name: 'vault', spec: { store: 'fs', fs: { path: '/backup' } } },
];

/** A document named "it", its spec from line 5 on, indented by two. */
export function documentText(kind: string, spec: string): string {
  const lines = spec.replace(/^/gm, '  ');
  return `apiVersion: catena/v1\nkind: ${kind}\nmetadata: {name: it}\nspec:\n${lines}\n`;
}

/** A Schedule of "docs" into "vault", the rest of its spec from line 7 on. */
export function scheduleText(spec: string): string {
  return documentText('Schedule', `source: docs\nrepository: vault\n${spec}`);
}
