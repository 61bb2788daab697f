import { readdir, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { UsageError } from './invocation.ts';

const YAML_FILE = /\.ya?ml$/;

/** A file of definitions with what the beginnings of its paths stand for. */
export interface DefinitionFileText {
  name: string;
  text: string;
  anchors: { folder: string; userHome: string; catenaHome: string };
}

async function filesBelow(place: string): Promise<string[]> {
  if (!(await stat(place)).isDirectory()) return [place];
  const names = (await readdir(place)).filter((name) => YAML_FILE.test(name)).sort();
  if (names.length === 0) throw new UsageError(`There is no YAML file in the folder ${place}.`);
  return names.map((name) => path.join(place, name));
}

async function standardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** Reads the named files and the YAML files of the named folders; `-` is standard input. */
export async function readDefinitionFiles(
  places: readonly string[],
  home: string,
): Promise<DefinitionFileText[]> {
  const files: DefinitionFileText[] = [];
  const anchors = (folder: string) => ({
    folder: path.resolve(folder),
    userHome: homedir(),
    catenaHome: home,
  });
  for (const place of places) {
    if (place === '-') {
      files.push({ name: '<stdin>', text: await standardInput(), anchors: anchors('.') });
      continue;
    }
    let names: string[];
    try {
      names = await filesBelow(place);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        throw new UsageError(`There is no file or folder ${place}.`);
      throw error;
    }
    for (const name of names)
      files.push({ name, text: await readFile(name, 'utf8'), anchors: anchors(path.dirname(name)) });
  }
  return files;
}

/** The one folder that `--prune` is about, absolute. @throws UsageError when the places are anything else. */
export async function folderToPrune(places: readonly string[]): Promise<string> {
  const [place, ...more] = places;
  const found = place === undefined || place === '-' ? undefined : await stat(place).catch(() => undefined);
  if (place === undefined || more.length > 0 || !found?.isDirectory()) {
    throw new UsageError(
      '--prune goes with one folder, which then decides upon what comes from it.',
      'Name the folder alone.',
    );
  }
  return path.resolve(place);
}
