import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BackupType, BackupView, ChainView, RunView } from '@catena/events';
import { ProtectedTree } from '../platform/protected-tree.ts';
import { flawsOf } from '../platform/proof.ts';
import { TestPlatform } from '../platform/test-platform.ts';
import { CatenaCommand } from './catena-command.ts';

let platform: TestPlatform;
let tree: ProtectedTree;
let catena: CatenaCommand;
/** What a person has put away: the key, the definitions, an export of the log. */
let safe: { folder: string; key: string; definitions: string; log: string };
/** What there was to see before the disaster. */
let before: { chains: ChainView[]; backups: BackupView[]; runs: RunView[] };

interface Page<T> {
  items: T[];
}

beforeAll(async () => {
  platform = await TestPlatform.start();
  catena = new CatenaCommand(platform.home);
  tree = await ProtectedTree.define(platform, 'letters', { megabytes: 3 });
  for (const [type, copyOnly] of [
    ['full', false],
    ['incremental', false],
    ['incremental', false],
    ['differential', false],
    ['full', true],
  ] as [BackupType, boolean][]) {
    const outcome = await platform.backup('letters', tree.repository, type, copyOnly);
    if (outcome.state !== 'completed' || !outcome.event.data.backup)
      throw new Error(`the ${type} ${outcome.state}`);
    tree.remember(outcome.event.data.backup);
    tree.edit();
  }
  const folder = platform.place('safe');
  safe = {
    folder,
    key: path.join(folder, 'vault.key'),
    definitions: path.join(folder, 'definitions.yaml'),
    log: path.join(folder, 'log.zst'),
  };
  await catena.ask('key', 'export', tree.repository, '--to', safe.key);
  const texts = [];
  for (const kind of ['source', 'repository']) texts.push((await catena.run('get', kind, '--yaml')).out);
  writeFileSync(safe.definitions, texts.join('---\n'));
  await catena.ask('log', 'export', safe.log);
  before = {
    chains: (await catena.ask<Page<ChainView>>('chains')).items,
    backups: (await catena.ask<Page<BackupView>>('backups')).items,
    runs: (await catena.ask<Page<RunView>>('runs')).items,
  };
  await platform.stop();
  rmSync(platform.home, { recursive: true });
});

afterAll(async () => {
  await platform[Symbol.asyncDispose]();
});

/** A platform that knows nothing, in the place of the lost one. */
async function startAnew(): Promise<void> {
  platform = await TestPlatform.start({ folder: platform.folder });
}

/** The key where its definition says. */
function putKeyBack(): void {
  copyFileSync(safe.key, tree.where.keyFile);
}

function lineage({
  backup,
  type,
  copyOnly,
  parent,
  base,
  chain,
  closure,
  files,
  bytes,
  manifest,
}: BackupView) {
  return { backup, type, copyOnly, parent, base, chain, closure, files, bytes, manifest };
}

function picture(chains: readonly ChainView[]) {
  return chains.map(({ chain, copyOnly, backups }) => ({ chain, copyOnly, backups: backups.map(lineage) }));
}

describe('with nothing left but the repository and its key', () => {
  const byHand = () => ['--repository', tree.where.repository, '--key-file', safe.key];

  it('lists what there is', async () => {
    const { items } = await catena.ask<Page<BackupView>>('backups', '--repository', tree.where.repository);
    expect(items.map(lineage)).toEqual(before.backups.map(lineage));
  });

  it('gives back the files as they were at each backup', async () => {
    for (const backup of tree.remembered) {
      const target = tree.freshTarget();
      const answer = await catena.ask('restore', ...byHand(), '--backup', backup, '--to', target);
      expect(answer).toMatchObject({ backup, target, warnings: [] });
      expect(await tree.differences(backup, target)).toEqual([]);
    }
  });

  it('gives back the newest, a time, and some of the files', async () => {
    const newest = tree.freshTarget();
    expect(await catena.ask('restore', ...byHand(), '--to', newest)).toMatchObject({
      backup: before.backups[0]!.backup,
    });
    const old = before.backups.at(-1)!;
    const then = tree.freshTarget();
    expect(await catena.ask('restore', 'letters', ...byHand(), '--at', old.asOf, '--to', then)).toMatchObject(
      {
        backup: old.backup,
      },
    );
    const some = tree.freshTarget();
    await catena.ask('restore', ...byHand(), '--include', 'letters/**', '--to', some);
    expect(readdirSync(some)).toEqual(['letters']);
    const files = (await catena.run('ls', '-R', ...byHand(), '--json')).jsonLines<{ path: string }>();
    expect(files.map((file) => file.path)).toContain('pictures/large-0');
  });

  it('is refused by name without the key, and with another', async () => {
    const target = tree.freshTarget();
    const restore = ['restore', '--repository', tree.where.repository, '--to', target];
    expect(await catena.refused(...restore)).toMatchObject({
      exit: 3,
      code: 'vault.locked',
      message: expect.stringContaining('no key was given'),
      remedy: expect.stringContaining(tree.where.keyFile),
    });
    const other = path.join(safe.folder, 'other.key');
    writeFileSync(
      other,
      readFileSync(safe.key, 'utf8').replace(/[a-z2-9]/gi, (sign) =>
        sign === 'a' ? 'b' : sign === 'b' ? 'a' : sign,
      ),
    );
    expect((await catena.refused(...restore, '--key-file', other)).code).toMatch(/^vault\./);
    expect(existsSync(target)).toBe(false);
  });

  it('verifies with the key, and by hashes alone without it', async () => {
    const opened = await catena.ask<{ collections: unknown[] }>('verify', ...byHand());
    expect(opened.collections).toMatchObject([{ damages: [], opened: true }]);
    const closed = await catena.ask<{ collections: unknown[] }>(
      'verify',
      '--repository',
      tree.where.repository,
    );
    expect(closed.collections).toMatchObject([{ damages: [], opened: false }]);
  });

  it('has started nothing', () => {
    expect(existsSync(platform.home)).toBe(false);
  });
});

describe('with a new platform, the definitions and the repository', () => {
  beforeAll(startAnew, 60_000);
  afterAll(async () => {
    await platform.stop();
    rmSync(platform.home, { recursive: true });
  });

  it('rescan brings the chains back, for which no key is needed', async () => {
    await catena.ask('apply', safe.definitions);
    const { event } = await catena.ask<{ event: { detail: unknown } }>('catalog', 'rescan', tree.repository);
    expect(event.detail).toMatchObject({ found: 5, adopted: 5, lacking: [] });
    const chains = (await catena.ask<Page<ChainView>>('chains')).items;
    expect(picture(chains)).toEqual(picture(before.chains));
    const { items } = await catena.ask<Page<BackupView>>('backups', '--source', 'letters');
    expect(items.map(({ found }) => found)).toEqual(Array(5).fill(true));
  });

  it('rescan again adds nothing', async () => {
    const { event } = await catena.ask<{ event: { detail: unknown } }>('catalog', 'rescan', tree.repository);
    expect(event.detail).toMatchObject({ found: 5, adopted: 0 });
  });

  it('a restore and a backup say which key is missing, and make none of their own', async () => {
    const calls = [
      ['restore', 'letters', '--to', tree.freshTarget()],
      ['backup', 'letters', '--type', 'incremental', '--repository', tree.repository],
    ];
    for (const call of calls) {
      const answer = await catena.run(...call, '--json');
      expect(answer.code).toBe(4);
      expect(answer.json()).toMatchObject({
        event: {
          failure: { code: 'vault.key-not-readable', message: expect.stringContaining(tree.where.keyFile) },
        },
      });
    }
    expect(existsSync(tree.where.keyFile)).toBe(false);
    putKeyBack();
  });

  it('restores and backs up again', async () => {
    const target = tree.freshTarget();
    await catena.ask('restore', 'letters', '--no-copy-only', '--to', target);
    const newest = before.backups.find(({ copyOnly }) => !copyOnly)!.backup;
    expect(await tree.differences(newest, target)).toEqual([]);
    const outcome = await platform.backup('letters', tree.repository, 'incremental');
    expect(outcome.state).toBe('completed');
  });
});

describe('with a new platform and the exported log', () => {
  beforeAll(startAnew, 60_000);

  it('import brings everything back: definitions, runs, chains', async () => {
    putKeyBack();
    const { events } = await verified();
    expect(events).toBe(0);
    const { imported, last } = await catena.ask<{ imported: number; last: number }>(
      'log',
      'import',
      safe.log,
    );
    expect(imported).toBe(last);
    const { items: runs } = await catena.ask<Page<RunView>>('runs');
    expect(runs).toEqual(before.runs);
    const { items: chains } = await catena.ask<Page<ChainView>>('chains');
    expect(chains).toEqual(before.chains);
    expect(await catena.ask('log', 'verify', '--export', safe.log)).toMatchObject({
      problemCount: 0,
      comparison: { same: last, onlyInLog: 0, onlyInExport: 0 },
      projections: { identical: true },
    });
  });

  it('the next run continues the chain', async () => {
    const newest = before.backups.find(({ copyOnly }) => !copyOnly)!;
    tree.edit();
    const outcome = await platform.backup('letters', tree.repository, 'incremental');
    expect(outcome.state).toBe('completed');
    if (outcome.state !== 'completed') return;
    tree.remember(outcome.event.data.backup!);
    const [latest] = await platform.backups('letters');
    expect(latest).toMatchObject({
      type: 'incremental',
      parent: newest.backup,
      chain: newest.chain,
      collection: newest.collection,
    });
  });

  it('a rescan then finds what was backed up behind the exported log', async () => {
    const { event } = await catena.ask<{ event: { detail: unknown } }>('catalog', 'rescan', tree.repository);
    expect(event.detail).toMatchObject({ found: 7, adopted: 1, lacking: [] });
    const target = tree.freshTarget();
    await catena.ask('restore', 'letters', '--to', target);
    expect(await tree.differences(tree.remembered.at(-1)!, target)).toEqual([]);
  });

  async function verified(): Promise<{ events: number }> {
    return catena.ask<{ events: number }>('log', 'verify', '--no-projections');
  }
});

describe('with a flipped bit in the pack of a backup', () => {
  let object: string;
  let damaged: string;

  beforeAll(async () => {
    // The newest incremental of the chain is what nothing else needs.
    const [newest] = [...tree.remembered].reverse();
    damaged = newest!;
    const { manifest } = (await platform.backups('letters')).find(({ backup }) => backup === damaged)!;
    const folder = path.dirname(manifest.name);
    const names = readdirSync(path.join(tree.where.repository, folder), {
      recursive: true,
      encoding: 'utf8',
    });
    object = path.join(
      folder,
      names.find((name) => path.basename(name).startsWith('pack-'))!,
    );
    const file = path.join(tree.where.repository, object);
    const bytes = readFileSync(file);
    bytes[Math.floor(bytes.length / 2)]! ^= 4;
    rmSync(file);
    writeFileSync(file, bytes);
  });

  it('verify by hand names object, backup and file', async () => {
    const answer = await catena.run(
      'verify',
      '--repository',
      tree.where.repository,
      '--key-file',
      safe.key,
      '--json',
    );
    expect(answer.code).toBe(7);
    const { collections } = answer.json<{
      collections: { damages: { object: string; backups: string[]; files: string[] }[] }[];
    }>();
    const damages = collections.flatMap((collection) => collection.damages);
    expect(damages).toEqual([expect.objectContaining({ object, backups: [damaged] })]);
    expect(damages[0]!.files.length).toBeGreaterThan(0);
    const text = await catena.run('verify', '--repository', tree.where.repository, '--key-file', safe.key);
    expect(text.out).toContain(object);
  });

  it('a restore of it fails with the name of the object and leaves nothing', async () => {
    const target = tree.freshTarget();
    const error = await catena.refused(
      ...['restore', '--repository', tree.where.repository, '--key-file', safe.key],
      ...['--backup', damaged, '--to', target],
    );
    expect(error.message).toContain(object);
    expect(existsSync(target)).toBe(false);
    expect(readdirSync(path.dirname(target)).filter((name) => name.includes(path.basename(target)))).toEqual(
      [],
    );
  });

  it('a restore by the platform fails in the same way, and says so', async () => {
    const target = tree.freshTarget();
    const answer = await catena.run('restore', '--backup', damaged, '--to', target, '--json');
    expect(answer.code).toBe(4);
    expect(answer.json()).toMatchObject({
      state: 'failed',
      event: { failure: { message: expect.stringContaining(object) } },
    });
    expect(existsSync(target)).toBe(false);
    expect(readdirSync(path.dirname(target)).filter((name) => name.includes(path.basename(target)))).toEqual(
      [],
    );
  });

  it('verify by the platform records it, and the next backup does not build on it', async () => {
    const answer = await catena.run('verify', '--repository', tree.repository, '--json');
    expect(answer.code).toBe(7);
    expect(answer.json()).toMatchObject({
      damaged: [{ backup: damaged, missing: false, problems: [expect.objectContaining({ object })] }],
    });
    const states = (await platform.backups('letters')).map(({ backup, state }) => ({ backup, state }));
    expect(states).toContainEqual({ backup: damaged, state: 'damaged' });
    const outcome = await platform.backup('letters', tree.repository, 'incremental');
    expect(outcome.state).toBe('completed');
    const [latest] = await platform.backups('letters');
    expect(latest!.parent).not.toBe(damaged);
    expect(latest!.closure).not.toContain(damaged);
    const target = tree.freshTarget();
    await catena.ask('restore', 'letters', '--to', target);
    expect(existsSync(target)).toBe(true);
  });

  it('everything else stays as it was', async () => {
    const flaws = await flawsOf(platform, []);
    expect(flaws).toEqual([]);
  });
});
