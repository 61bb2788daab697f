import path from 'node:path';
import type { TestPlatform } from '../platform/test-platform.ts';
import { CatenaCommand } from './catena-command.ts';

/** What a person has before the first command: some files, and definitions in a folder beside them. */
export interface Household {
  readonly catena: CatenaCommand;
  /** The folder of the source `home`. */
  readonly house: string;
  /** The folder of the definitions; the repository `vault` and its key come to lie beside it. */
  readonly definitions: string;
}

export function furnish(platform: TestPlatform): Household {
  const definitions = platform.place('definitions');
  platform.write(platform.place('house'), {
    'documents/letter.txt': 'Dear Ada,\n',
    'documents/taxes/2025.txt': 'none\n',
    'notes.txt': 'one\n',
  });
  platform.write(definitions, {
    'where.yaml': `apiVersion: catena/v1
kind: Source
metadata: {name: home, labels: {owner: ada}}
spec: {driver: files, files: {path: ../house, exclude: ['*.bak']}}
---
apiVersion: catena/v1
kind: Repository
metadata: {name: vault}
spec:
  store: fs
  fs: {path: ../vault}
  encryption: {keys: [{keyFile: {path: ../vault.key, generate: true}}]}
`,
    'when.yaml': `apiVersion: catena/v1
kind: Schedule
metadata: {name: nightly}
spec: {source: home, repository: vault, timeZone: Europe/Berlin, firstRun: scheduled, full: '@yearly', incremental: '0 0 2 1 *'}
---
apiVersion: catena/v1
kind: Subscription
metadata: {name: tell}
spec: {events: [run.failed], to: {command: ['true']}}
`,
  });
  return {
    catena: new CatenaCommand(platform.home, { folder: platform.folder }),
    house: path.join(platform.folder, 'house'),
    definitions,
  };
}

/** Makes a call that must end well, and whose output is plain text because nobody sits at a terminal. */
export async function plainly(catena: CatenaCommand, ...args: string[]): Promise<string> {
  const { line, code, out, err } = await catena.run(...args);
  if (code !== 0) throw new Error(`${line} ended with ${code}:\n${out}\n${err}`);
  // eslint-disable-next-line no-control-regex
  if (/[\r\u001b]/.test(out + err)) throw new Error(`${line} wrote more than plain text:\n${out}\n${err}`);
  return out;
}
