#!/usr/bin/env node
/** Reads a Catena repository with nothing but node: see README.md beside this file. */
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import zlib from 'node:zlib';
import { shown, spelled } from './bytes.mjs';
import { parseKey } from './keys.mjs';
import { Repository } from './repository.mjs';
import { restore } from './restore.mjs';

const usage = `vault-reader <command> <repository> … [--key-file FILE | --passphrase-file FILE]

  list    REPOSITORY                              backups, oldest first; needs no key
  files   REPOSITORY BACKUP [--only PATH]         what is in a backup
  cat     REPOSITORY BACKUP PATH                  one file to standard output
  restore REPOSITORY BACKUP FOLDER [--only PATH]  into an empty folder
  verify  REPOSITORY [BACKUP]                     reads everything back and checks it
  logs    REPOSITORY                              exported event logs
  log     REPOSITORY NAME                         one of them to standard output

BACKUP is an id, the first characters of one, or "latest" (then --source NAME if there are several).
`;

const damageFound = 7;

const commands = { list, files, cat, restore: restoreBackup, verify, logs, log };

function main() {
  if (zlib.zstdDecompressSync === undefined) {
    throw new Error(`node ${process.versions.node} has no zstd: use node 24, or 22.15 and newer`);
  }
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'key-file': { type: 'string' },
      'passphrase-file': { type: 'string' },
      source: { type: 'string' },
      only: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const [name, folder, ...rest] = positionals;
  const command = Object.hasOwn(commands, name ?? '') ? commands[name] : undefined;
  if (values.help || command === undefined || folder === undefined) {
    (values.help ? process.stdout : process.stderr).write(usage);
    return values.help ? 0 : 2;
  }
  const keyFile = values['key-file'] ?? values['passphrase-file'];
  const key = keyFile === undefined ? undefined : parseKey(fs.readFileSync(keyFile, 'utf8'));
  return command(new Repository(folder, key), rest, values);
}

function list(repository) {
  const { manifests, errors } = repository.list();
  for (const one of manifests) {
    const kind = one.copyOnly ? `${one.type} (copy only)` : one.type;
    print(`${one.asOf}  ${one.backup}  ${kind}  ${one.source.name}  ${one.statistics.bytes} bytes`);
  }
  for (const error of errors) complain(error.message);
  return errors.length > 0 ? damageFound : 0;
}

function files(repository, [wanted], options) {
  const backup = open(repository, wanted, options);
  const only = options.only === undefined ? undefined : spelled(options.only);
  for (const entry of backup.entries()) {
    if (only !== undefined && !startsWith(entry.path, only)) continue;
    const time = new Date(Number(entry.mtime / 1_000_000n)).toISOString();
    const link = entry.linkTarget === undefined ? '' : ` -> ${shown(entry.linkTarget)}`;
    const mode = entry.mode.toString(8).padStart(4, '0');
    print(
      `${entry.kind}  ${mode}  ${entry.uid}:${entry.gid}  ${entry.size}  ${time}  ${shown(entry.path)}${link}`,
    );
  }
  for (const { path, code, message } of backup.warnings())
    complain(`warning: ${shown(path)}: ${message} (${code})`);
  return 0;
}

function cat(repository, [wanted, path], options) {
  if (path === undefined) throw new Error('say which file');
  const backup = open(repository, wanted, options);
  let entry = backup.entry(spelled(path));
  if (entry?.hardLink !== undefined) entry = backup.entry(entry.hardLink);
  if (entry?.content === undefined) throw new Error(`backup ${backup.manifest.backup} has no file ${path}`);
  for (const { data, zeros } of backup.content(entry)) write(data ?? Buffer.alloc(zeros));
  return 0;
}

function restoreBackup(repository, [wanted, target], options) {
  if (target === undefined) throw new Error('say into which folder');
  const backup = open(repository, wanted, options);
  const only = options.only === undefined ? undefined : spelled(options.only);
  const { restored, failures, notKept, attributes } = restore(backup, target, only);
  for (const failure of failures) complain(failure);
  for (const [what, paths] of notKept)
    complain(`the ${what} of ${paths.length} entries could not be set, as of ${paths[0]}`);
  if (attributes.length > 0) {
    const list = `${target}.attributes`;
    fs.writeFileSync(list, attributes.join('\n'));
    complain(
      `extended attributes and ACLs are in ${list}; set them with: cd ${target} && setfattr -h --restore=${list}`,
    );
  }
  if (restored === 0 && failures.length === 0)
    throw new Error(`backup ${backup.manifest.backup} has nothing at ${options.only}`);
  print(
    `${restored} entries of backup ${backup.manifest.backup} restored to ${target}, ${failures.length} failed`,
  );
  if (failures.length > 0) return damageFound;
  return notKept.size > 0 ? 5 : 0;
}

function verify(repository, [wanted], options) {
  const { manifests, errors } = repository.list();
  const chosen = wanted === undefined ? manifests : [choose(manifests, wanted, options)];
  let damages = wanted === undefined ? errors.length : 0;
  for (const error of wanted === undefined ? errors : []) complain(error.message);
  for (const manifest of chosen) {
    const found = [
      ...repository.wrongObjects(manifest, manifests),
      ...damagedFiles(repository.backup(manifest)),
    ];
    for (const damage of found) complain(`backup ${manifest.backup}: ${damage}`);
    print(`${manifest.backup}: ${found.length === 0 ? 'right' : `${found.length} damages`}`);
    damages += found.length;
  }
  return damages > 0 ? damageFound : 0;
}

function damagedFiles(backup) {
  const damages = [];
  const note = (error) => damages.push(error.message);
  for (const entry of backup.entries(undefined, note)) {
    if (entry.content === undefined) continue;
    try {
      for (const piece of backup.content(entry)) void piece;
    } catch (error) {
      damages.push(`${shown(entry.path)}: ${error.message}`);
    }
  }
  try {
    for (const warning of backup.warnings()) void warning;
  } catch (error) {
    note(error);
  }
  return damages;
}

function logs(repository) {
  for (const name of repository.logs()) print(name);
  return 0;
}

function log(repository, [name]) {
  if (name === undefined) throw new Error('say which log');
  const pieces = repository.log(name);
  pieces.next(); // its name
  for (const piece of pieces) write(piece);
  return 0;
}

function open(repository, wanted, options) {
  if (wanted === undefined) throw new Error('say which backup');
  const { manifests, errors } = repository.list();
  for (const error of errors) complain(error.message);
  return repository.backup(choose(manifests, wanted, options));
}

function choose(manifests, wanted, { source }) {
  const mine = manifests.filter((one) => source === undefined || one.source.name === source);
  if (wanted === 'latest') {
    const sources = new Set(mine.map((one) => one.source.name));
    if (sources.size > 1) throw new Error(`say of which source: --source ${[...sources].join(' | ')}`);
    if (mine.length === 0) throw new Error('there is no backup');
    return mine.at(-1);
  }
  const exact = mine.find((one) => one.backup === wanted);
  const fitting = exact === undefined ? mine.filter((one) => one.backup.startsWith(wanted)) : [exact];
  if (fitting.length === 1) return fitting[0];
  throw new Error(
    fitting.length === 0 ? `there is no backup ${wanted}` : `several backups begin with ${wanted}`,
  );
}

function startsWith(path, folder) {
  return (
    folder.length === 0 ||
    path.equals(folder) ||
    path.subarray(0, folder.length + 1).equals(Buffer.concat([folder, Buffer.from('/')]))
  );
}

function write(data, to = 1) {
  for (let done = 0; done < data.length;) {
    try {
      done += fs.writeSync(to, data, done);
    } catch (error) {
      // A pipe that does not wait is full: wait for its reader.
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

const print = (line) => write(Buffer.from(`${line}\n`));
const complain = (line) => write(Buffer.from(`${line}\n`), 2);

try {
  process.exitCode = main();
} catch (error) {
  // Whoever read our output has seen enough.
  if (error.code !== 'EPIPE') complain(error.message);
  process.exitCode = 1;
}
