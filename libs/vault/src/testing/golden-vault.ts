/**
 * Makes the golden vaults of the current format version. Run it only when a version is new, or when programs write something
 * that no golden vault has; vaults that were made are never made again, because what they prove is that old bytes stay
 * readable. Argument: folder to make them in, named by the version and what is new.
 *
 * node --conditions=@catena/source libs/vault/src/testing/golden-vault.ts test/golden/vault/v<N>-<what is new>
 */
import { cp, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { AddContent, BackupPlan, Collection, Entry, SlotKey, StoredEntry } from '../index.ts';
import { comparePaths, initialiseRepository, newKeyFile, openRepository, parseKeyFile } from '../index.ts';
import { bytesReader, fileEntry, planOf } from './file-tree.ts';
import { describeBackup } from './describe-backup.ts';
import { flipBit, objectsIn } from './object-damage.ts';
import { seededBytes } from './seeded-bytes.ts';
import { temporaryFolder } from './temporary-folder.ts';

const KIB = 1024;
const folder = process.argv[2];
if (folder === undefined) throw new Error('which folder?');

/** What a driver would find: something of every kind, and every way a file can be cut and kept. */
function source(round: number): [Entry, Uint8Array | undefined][] {
  const pages = seededBytes(100 * KIB, 3);
  for (let page = 0; page < round; page++) seededBytes(8 * KIB, 100 + round).copy(pages, page * 3 * 8 * KIB);
  const text = Buffer.from(
    `${'-- a line of a dump\n'.repeat(round * 2)}${'INSERT INTO t VALUES (1);\n'.repeat(5000)}`,
  );
  const bare = (
    name: string | Buffer,
    kind: Entry['kind'],
    more: Partial<Entry> = {},
  ): [Entry, undefined] => [{ ...fileEntry(name, 0), kind, mode: 0o755, ...more }, undefined];
  const file = (name: string | Buffer, bytes: Uint8Array, more: Partial<Entry> = {}): [Entry, Uint8Array] => [
    { ...fileEntry(name, bytes.length, 1 + round), user: 'anna', group: 'staff', ...more },
    bytes,
  ];
  const entries: [Entry, Uint8Array | undefined][] = [
    bare('', 'folder'),
    bare('device', 'blockDevice', { deviceNumber: 0x0801n }),
    bare('empty folder', 'folder', { mode: 0o1777 }),
    file('empty', new Uint8Array()),
    bare('fifo', 'fifo'),
    file('pages.db', pages, { xattrs: [[Buffer.from('user.comment'), Buffer.from([0, 255])]] }),
    [{ ...fileEntry('second name', pages.length), hardLink: Buffer.from('pages.db') }, undefined],
    file('dump.sql', text),
    file('zeros.img', Buffer.concat([Buffer.alloc(256 * KIB), seededBytes(5000, 4), Buffer.alloc(64 * KIB)])),
    file('folder/small', Buffer.from(`small ${round}\n`)),
    bare('folder', 'folder'),
    bare('link', 'symlink', { linkTarget: Buffer.from('../elsewhere') }),
    file(Buffer.from([0x6e, 0xff, 0xfe]), Buffer.from('a name that is not UTF-8')),
    file('times', Buffer.from('t'), { mtime: -1n, ctime: 2n ** 62n, inode: 2n ** 64n - 1n }),
  ];
  if (round > 0) entries.push(file(`new ${round}`, seededBytes(2000, 50 + round)));
  return entries.sort(([a], [b]) => comparePaths(a.path, b.path));
}

async function backup(collection: Collection, plan: BackupPlan, round: number): Promise<void> {
  const writer = await collection.beginBackup(plan, { packBytes: 64 * KIB });
  const before = new Map<string, StoredEntry>();
  for await (const entry of writer.previous()) before.set(Buffer.from(entry.path).toString('latin1'), entry);
  for (const [entry, bytes] of source(round)) {
    const old = before.get(Buffer.from(entry.path).toString('latin1'));
    const content: AddContent | undefined =
      bytes === undefined
        ? undefined
        : { read: bytesReader(bytes), ...(old === undefined ? {} : { before: old }) };
    await writer.add(entry, content);
  }
  if (round > 0) writer.warn({ path: Buffer.from('gone'), code: 'FILE_VANISHED', message: 'gone went away' });
  await writer.finish({ position: { end: String(round), start: '0' }, driverDetails: { round } });
}

async function make(root: string, keys: readonly SlotKey[]): Promise<void> {
  const clock = { time: Date.parse('2026-11-20T12:00:00.000Z') };
  const now = () => new Date((clock.time += 1000));
  const options = { keys, now, scrypt: { N: 1024, r: 8, p: 1 } };
  await (await initialiseRepository(root, { ...options, installation: 'the one before' })).close();
  const repository = await openRepository(root, options);
  const collection = repository.collection('files of anna');
  const at = (day: number) => new Date(Date.UTC(2026, 10, day, 3));
  await backup(collection, planOf('full-1', { startedAt: at(1) }), 0);
  await backup(collection, planOf('inc-1', { startedAt: at(2), type: 'incremental', parent: 'full-1' }), 1);
  if (keys.length > 0) await collection.rotateKey();
  await backup(collection, planOf('inc-2', { startedAt: at(3), type: 'incremental', parent: 'inc-1' }), 2);
  await backup(collection, planOf('diff-1', { startedAt: at(4), type: 'differential', base: 'full-1' }), 3);
  await backup(collection, planOf('copy-1', { startedAt: at(5), copyOnly: true }), 3);
  if (keys.length > 0) {
    await collection.addKey({ kind: 'passphrase', passphrase: 'added passphrase', name: 'added passphrase' });
    await collection.rotateKey();
  }
  const composed = { backupId: 'composed-1', run: 'run-composed-1', attempt: 1, startedAt: at(6) };
  await collection.compose({ ...composed, from: 'inc-2' }, { packBytes: 64 * KIB });
  await backup(
    collection,
    planOf('inc-3', { startedAt: at(7), type: 'incremental', parent: 'composed-1' }),
    4,
  );
  await repository.takeOwnership('golden');
  await collection.verify({ depth: 'checksums', recordAs: 'golden' });
  const log = await repository.exportedLogs().create('events 1-2');
  await log.append(Buffer.from('{"event":1}\n'));
  await log.append(Buffer.from('{"event":2}\n'));
  await log.finish();
  const expected: Record<string, unknown> = {};
  for await (const found of collection.listBackups())
    if ('manifest' in found)
      expected[found.manifest.backup] = await describeBackup(
        await collection.openBackup(found.manifest.backup),
      );
  await writeFile(`${root}.expected.json`, `${JSON.stringify(expected, undefined, 1)}\n`);
  await repository.close();
  await damageAndRepair(root, keys);
}

/** A unit of a pack of an incremental and one of the composed full are wrong, and overlays make them good. */
async function damageAndRepair(root: string, keys: readonly SlotKey[]): Promise<void> {
  const intact = await temporaryFolder();
  await cp(root, intact.path, { recursive: true });
  const packs = (await objectsIn(root)).filter((name) => name.includes('/pack-'));
  for (const part of ['-incremental/', '/run-composed-1.']) {
    const pack = packs.find((name) => name.includes(part));
    if (pack === undefined) throw new Error(`no pack to damage in ${part}`);
    await flipBit(root, pack, 0.2);
  }
  const [damaged, copy] = [await openRepository(root, { keys }), await openRepository(intact.path, { keys })];
  const collection = damaged.collection('files of anna');
  for (const damage of (await collection.verify({ depth: 'checksums' })).damages)
    await collection.repair(damage, copy.collection('files of anna'));
  await damaged.close();
  await copy.close();
  await intact.remove();
}

await mkdir(folder, { recursive: true });
const keyFile = newKeyFile();
await writeFile(path.join(folder, 'vault.key'), keyFile);
const keys: SlotKey[] = [
  parseKeyFile(keyFile, 'golden key file'),
  { kind: 'passphrase', passphrase: 'golden passphrase', name: 'golden passphrase' },
];
await make(path.join(folder, 'encrypted'), keys);
await make(path.join(folder, 'plain'), []);
