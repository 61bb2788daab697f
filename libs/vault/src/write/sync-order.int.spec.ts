import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newKeyFile } from '../index.ts';
import { temporaryFolder } from '../testing/index.ts';
import { canTrace, traced, type TracedCall } from '../testing/traced-calls.ts';

const PROGRAM = fileURLToPath(new URL('../testing/crash-program.ts', import.meta.url));

const ifTraced = canTrace() ? describe : describe.skip;

ifTraced('the calls to the system that a backup makes (needs strace and ptrace)', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let calls: readonly TracedCall[];
  beforeAll(async () => {
    folder = await temporaryFolder();
    const program = [
      process.execPath,
      '--conditions=@catena/source',
      PROGRAM,
      folder.path,
      newKeyFile(),
      '1',
      '4',
    ];
    const all = traced(program, { ...process.env, NODE_OPTIONS: '' }).calls;
    calls = all.filter(({ file }) => file === folder.path || file.startsWith(`${folder.path}/`));
  });
  afterAll(() => folder.remove());

  const made = (name: TracedCall['name']) =>
    calls.filter((call) => call.name === name && call.error === undefined);
  const isUnfinished = (file: string) => file.startsWith(`${folder.path}/.unfinished/`);
  /** Names of objects that were made, and when: begun and done. */
  const links = (part: RegExp) => made('link').filter(({ file }) => part.test(file));

  /** When the end of a sync of a file or folder that began after some moment is seen. */
  function syncedAfter(file: string, moment: number): number {
    return Math.min(
      ...made('sync').flatMap((call) => (call.file === file && call.begun > moment ? [call.done] : [])),
    );
  }

  /** When the name of an object cannot be lost any more. */
  const durableAt = ({ file, done }: TracedCall) => syncedAfter(path.dirname(file), done);

  it('are seen', () => {
    expect(links(/pack-\d+$/).length).toBeGreaterThan(2);
    for (const part of [
      /map-\d+$/,
      /tree-\d+$/,
      /manifest\.json$/,
      /LATEST/,
      /keys/,
      /run\.json$/,
      /repository\.json$/,
    ])
      expect(links(part).length).toBeGreaterThan(0);
  });

  it('write nothing but files that have no name yet, and rename none', () => {
    expect(made('write').filter(({ file }) => !isUnfinished(file))).toEqual([]);
    expect(made('rename')).toEqual([]);
    expect(made('unlink').filter(({ file }) => !isUnfinished(file))).toEqual([]);
  });

  it('sync every file after the last byte and before it gets its name', () => {
    for (const { from = '', begun, file } of made('link')) {
      const lastWrite = Math.max(...made('write').flatMap((call) => (call.file === from ? [call.done] : [])));
      expect({ file, synced: syncedAfter(from, lastWrite) < begun }).toEqual({ file, synced: true });
    }
  });

  it('sync the folder above every folder that is made, before anything gets a name in it', () => {
    for (const { file, done } of made('mkdir')) {
      const first = Math.min(
        ...made('link').flatMap((call) => (path.dirname(call.file) === file ? [call.begun] : [])),
      );
      expect({ file, synced: syncedAfter(path.dirname(file), done) < first }).toEqual({ file, synced: true });
    }
  });

  it.each([
    ['the keyring', 'packs', /keys\/\d+\.json$/, /pack-\d+$/],
    ['all packs', 'maps', /pack-\d+$/, /map-\d+$/],
    ['all maps', 'pages of entries', /map-\d+$/, /tree-\d+$/],
    ['all pages of entries', 'the manifest', /tree-\d+$/, /manifest\.json$/],
    ['the manifest', 'LATEST', /manifest\.json$/, /LATEST\//],
  ])('make %s durable, name and all, before %s get their names', (_, __, referred, referring) => {
    const durable = Math.max(...links(referred).map(durableAt));
    const named = Math.min(...links(referring).map(({ begun }) => begun));
    expect(durable).toBeLessThan(named);
  });

  it('end when everything is durable', () => {
    for (const link of made('link'))
      expect({ file: link.file, at: durableAt(link) < Infinity }).toEqual({ file: link.file, at: true });
  });
});
