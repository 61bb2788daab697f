/**
 * What of a file survives a backup and a restore, by Catena's files driver and by the tools that are installed.
 *
 *   sudo npx node test/bench/files-kept.mjs [--work DIR]
 *
 * Makes a tree with everything that copies get wrong on an ext4 file system of its own, has each tool back it up and
 * restore it as root with all of its options for keeping things, and looks at what came back. Prints a table.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { compareTrees, filesDriver } from '@catena/sources';
import { initialiseRepository } from '@catena/vault';
// Not by the package's name: that entry brings the contract suite with it, which only Jest can load.
import { hasProgram, MountedFileSystem } from '../../libs/sources/dist/testing/loop-device.js';
import { makeDeepTree, makeFlaggedTree, makeNastyTree } from '../../libs/sources/dist/testing/nasty-tree.js';
import { ownFolder } from './own-folder.mjs';

const { values } = parseArgs({ options: { work: { type: 'string', default: '/var/tmp' } } });
const { folder: work, remove } = await ownFolder(values.work, 'catena-files-kept-');
const env = {
  ...process.env,
  RESTIC_PASSWORD: 'x',
  BORG_PASSPHRASE: 'x',
  BORG_BASE_DIR: path.join(work, 'borg-home'),
};

function run(program, args, options = {}) {
  const { status, stderr } = spawnSync(program, args, { env, encoding: 'utf8', ...options });
  return status === 0 ? '' : `${program} ended with ${status}: ${stderr.trim().slice(-200)}`;
}

/** Each backs `source` up and restores it as `target`; answers what it complained of. */
const tools = {
  Catena: async (source, target, name) => {
    const repository = await initialiseRepository(path.join(work, `vault-${name}`), {
      keys: [],
      installation: 'here',
    });
    const collection = repository.collection('kept');
    const writer = await collection.beginBackup({
      ...{ backupId: 'kept', run: 'run-1', attempt: 1, type: 'full', startedAt: new Date() },
      source: { name: 'kept', uid: 'kept', family: 'kept', driver: 'files' },
    });
    const { summary } = await filesDriver.backup({ path: source }, writer);
    await writer.finish(summary);
    const reader = await collection.openBackup('kept');
    const { warnings } = await filesDriver.restore(reader, target, { run: 'run-2', ownership: 'id' });
    await reader.close();
    await repository.close();
    return warnings.map(({ message }) => message).join(' ');
  },
  restic: async (source, target, name) => {
    const repository = ['--quiet', '--repo', path.join(work, `restic-${name}`)];
    return (
      run('restic', [...repository, 'init']) +
      run('restic', [...repository, 'backup', '.'], { cwd: source }) +
      run('restic', [...repository, 'restore', 'latest', '--target', target])
    );
  },
  borg: async (source, target, name) => {
    const repository = path.join(work, `borg-${name}`);
    mkdirSync(target);
    return (
      run('borg', ['init', '--encryption=repokey', repository]) +
      run('borg', ['create', '--sparse', '--numeric-ids', `${repository}::kept`, '.'], { cwd: source }) +
      run('borg', ['extract', '--sparse', '--numeric-ids', `${repository}::kept`], { cwd: target })
    );
  },
  tar: async (source, target, name) => {
    const archive = path.join(work, `${name}.tar`);
    const all = ['--xattrs', '--xattrs-include=*', '--acls', '--numeric-owner'];
    mkdirSync(target);
    return (
      run('tar', ['--create', `--file=${archive}`, '--format=posix', '--sparse', ...all, '-C', source, '.']) +
      run('tar', [
        '--extract',
        `--file=${archive}`,
        '--same-permissions',
        '--same-owner',
        ...all,
        '-C',
        target,
      ])
    );
  },
};

const inside = (folder) => (name) => name === folder || name.startsWith(`${folder}/`);
const oneOf =
  (...names) =>
  (name) =>
    names.includes(name);

/** What must not differ, and where. The root itself is left out: not every tool takes it for part of what it keeps. */
const rows = [
  ['content of files', ['missing', 'content'], (name) => /^(plain\.txt|empty|a|big|a\.b.*)$/.test(name)],
  [
    'names of any bytes, 255 bytes long',
    ['missing', 'extra'],
    (name) => inside('names')(name) || name.startsWith('n'),
  ],
  ['time of files, to the nanosecond', ['mtime'], oneOf('plain.txt')],
  ['time of folders', ['mtime'], oneOf('a.b', 'a.b/empty folder')],
  ['time of symbolic links', ['mtime'], oneOf('link', 'link again')],
  ['times before 1970 and after 2038', ['mtime'], inside('times')],
  ['owner and group, of symbolic links too', ['owner'], () => true],
  ['set-uid, set-gid, sticky, no rights at all', ['mode'], () => true],
  [
    'hard links between files',
    ['hardLinks'],
    (name) => /^(links|links elsewhere|linked too)(\/name|\/file|$)/.test(name),
  ],
  [
    'hard links of FIFOs, devices and symbolic links',
    ['hardLinks'],
    oneOf('links elsewhere/fifo too', 'links elsewhere/zero too', 'link again'),
  ],
  ['FIFOs', ['missing', 'kind'], oneOf('fifo', 'links/fifo')],
  ['sockets', ['missing', 'kind'], oneOf('socket')],
  [
    'devices',
    ['missing', 'kind', 'deviceNumber'],
    oneOf('null', 'disk', 'links/zero', 'links/large numbers'),
  ],
];

/** Attributes by name, and where. */
const attributes = [
  ['extended attributes: user', 'user.bytes', 'plain.txt'],
  ['extended attributes: trusted', 'trusted.note', 'plain.txt'],
  ['extended attributes: security, capabilities', 'security.capability', 'attributes/file'],
  ['extended attributes of symbolic links', 'trusted.of-a-link', 'attributes/link'],
  ['ACL', 'system.posix_acl_access', 'a'],
  ['default ACL of a folder', 'system.posix_acl_default', 'acl folder'],
];

function attributeOf(file, name) {
  return spawnSync('getfattr', ['-h', '-e', 'hex', '-n', name, '--absolute-names', file], {
    encoding: 'utf8',
  })
    .stdout.split('\n')
    .find((line) => line.startsWith(name));
}

function flagsOf(file) {
  const shown = spawnSync('lsattr', ['-d', file], { encoding: 'utf8' }).stdout.split(' ')[0] ?? '';
  return ['i', 'a'].filter((flag) => shown.includes(flag)).join('');
}

function blocksOf(file) {
  return existsSync(file) ? lstatSync(file).blocks : Infinity;
}

async function judge(source, target) {
  const differences = (await compareTrees(source, target, { most: 100_000 })).map(
    ({ path: name, difference }) => ({
      name: Buffer.from(name).toString(),
      difference,
    }),
  );
  const answers = rows.map(([what, kinds, where]) => {
    const lost = differences.filter(
      ({ name, difference }) => name !== '' && kinds.includes(difference) && where(name),
    );
    if (lost.length > 0)
      console.error(
        `  ${what}: ${lost.slice(0, 3).map(({ name, difference }) => `${difference} of '${name.slice(0, 60)}'`)}`,
      );
    return [what, lost.length === 0];
  });
  for (const [what, name, file] of attributes) {
    const is = attributeOf(path.join(target, file), name);
    answers.push([what, is !== undefined && is === attributeOf(path.join(source, file), name)]);
  }
  const holes = ['nothing but a hole', 'begins with a hole', 'ends with a hole', 'in between'];
  const filled = holes.filter((name) => {
    const file = path.join('holes', name);
    return blocksOf(path.join(target, file)) > blocksOf(path.join(source, file)) + 16;
  });
  if (filled.length > 0)
    console.error(`  holes: ${filled.map((name) => `'${name}'`)} take more than they did`);
  answers.push(['holes of sparse files, at the end too', filled.length === 0]);
  for (const [what, file] of [
    ['immutable (chattr +i)', 'flags/immutable'],
    ['append-only (chattr +a)', 'flags/append-only'],
  ])
    answers.push([what, flagsOf(path.join(target, file)) === flagsOf(path.join(source, file))]);
  return new Map(answers);
}

const results = new Map();
const file = path.join(work, 'disk');
const mounted = new MountedFileSystem('ext4', file, path.join(work, 'mount'), []);
try {
  const source = path.join(mounted.path, 'source');
  makeNastyTree(source, { deep: false });
  mkdirSync(path.join(source, 'acl folder'));
  execFileSync('setfacl', ['-d', '-m', 'u:1234:rx', path.join(source, 'acl folder')]);
  makeFlaggedTree(source);
  // By itself: where it fails, all else should not be blamed for it.
  const deepSource = path.join(mounted.path, 'deep');
  makeDeepTree(deepSource);
  for (const [name, tool] of Object.entries(tools)) {
    if (name !== 'Catena' && !hasProgram(name)) continue;
    const target = path.join(mounted.path, name);
    console.error(`${name}: ${await tool(source, target, 'kept')}`);
    const answers = await judge(source, target);
    spawnSync('chattr', ['-R', '-f', '-i', '-a', target]);
    const deepTarget = `${target} deep`;
    console.error(`${name}, deep: ${await tool(deepSource, deepTarget, 'deep')}`);
    answers.set('paths longer than 4096 bytes', (await compareTrees(deepSource, deepTarget)).length === 0);
    results.set(name, answers);
    for (const tree of [target, deepTarget]) spawnSync('find', [tree, '-delete']);
  }
  spawnSync('chattr', ['-R', '-f', '-i', '-a', source]);
} finally {
  mounted.remove();
  await remove();
}

const names = [...results.keys()];
console.log(`| what | ${names.join(' | ')} |\n| --- | ${names.map(() => '---').join(' | ')} |`);
for (const what of results.get('Catena').keys())
  console.log(
    `| ${what} | ${names.map((name) => (results.get(name).get(what) ? 'yes' : 'no')).join(' | ')} |`,
  );
