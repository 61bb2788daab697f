/** Writes a backup, or a part of it, into an empty folder. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { comparePaths } from './backup.mjs';
import { shown } from './bytes.mjs';

const slash = Buffer.from('/');

/**
 * Restores `only` (a path) with everything beneath it, or all. Damage of one file does not stop the others.
 * Returns how many entries were restored, what failed, and what could not be set as it was.
 */
export function restore(backup, target, only) {
  if (fs.existsSync(target) && fs.readdirSync(target).length > 0) throw new Error(`${target} is not empty`);
  fs.mkdirSync(target, { recursive: true });
  const job = new Restore(backup, Buffer.from(target));
  job.run(only);
  return job;
}

class Restore {
  restored = 0;
  /** Files that are not there, with the reason. */
  failures = [];
  /** What this program or this user could not set. */
  notKept = new Map();
  /** Extended attributes as `setfattr --restore` takes them. */
  attributes = [];

  #backup;
  #target;
  /** Folders that were made and lead to the entry at hand; their modes and times are set when they are left. */
  #open = [];
  #linkTargets = new Map();

  constructor(backup, target) {
    this.#backup = backup;
    this.#target = target;
  }

  run(only) {
    const onDamage = (error) => this.failures.push(error.message);
    for (const entry of this.#backup.entries(only, onDamage)) {
      if (only !== undefined && !isWithin(entry.path, only)) {
        if (comparePaths(entry.path, only) > 0) break;
        continue;
      }
      checkName(entry.path);
      while (this.#open.length > 0 && !isWithin(entry.path, this.#open.at(-1).path)) this.#leaveFolder();
      try {
        this.#restoreEntry(entry);
      } catch (error) {
        this.failures.push(`${shown(entry.path)}: ${error.message}`);
      }
    }
    while (this.#open.length > 0) this.#leaveFolder();
  }

  #restoreEntry(entry) {
    const to = this.#placeOf(entry.path);
    this.#makeWayTo(entry.path);
    if (entry.kind === 'folder') {
      if (entry.path.length > 0) fs.mkdirSync(to, { mode: 0o700 });
      this.#open.push(entry);
    } else if (entry.kind === 'file' && entry.hardLink !== undefined) {
      this.#link(entry, to);
    } else {
      this.#make(entry, to);
      this.#setProperties(entry, to);
    }
    this.restored++;
  }

  /** Makes plain folders where the backup's own were not asked for or are damaged; never goes through a symbolic link. */
  #makeWayTo(path) {
    let end = this.#open.at(-1)?.path.length ?? 0;
    while ((end = path.indexOf(0x2f, end + 1)) > 0) {
      const folder = this.#placeOf(path.subarray(0, end));
      if (fs.lstatSync(folder, { throwIfNoEntry: false }) === undefined) fs.mkdirSync(folder);
      else if (!fs.lstatSync(folder).isDirectory())
        throw new Error(`${shown(path.subarray(0, end))} is no folder`);
    }
  }

  #leaveFolder() {
    const entry = this.#open.pop();
    this.#setProperties(entry, this.#placeOf(entry.path));
  }

  #make(entry, to) {
    if (entry.kind === 'file') this.#writeFile(entry, to);
    else if (entry.kind === 'symlink') fs.symlinkSync(entry.linkTarget, to);
    else if (entry.kind === 'socket') throw new Error('a socket cannot be restored: its program makes it');
    else this.#makeSpecial(entry, to);
  }

  #writeFile(entry, to) {
    const handle = fs.openSync(to, 'wx', 0o600);
    try {
      let at = 0;
      for (const { data, zeros } of this.#backup.content(entry)) {
        if (data !== undefined) writeAll(handle, data, at);
        at += data?.length ?? zeros;
      }
      fs.ftruncateSync(handle, at);
    } catch (error) {
      fs.rmSync(to);
      throw error;
    } finally {
      fs.closeSync(handle);
    }
  }

  /** Further names of a file. If the first one was not restored, this one has the content and the next ones link to it. */
  #link(entry, to) {
    const group = entry.hardLink.toString('latin1');
    const first =
      this.#linkTargets.get(group) ??
      (this.#isFile(entry.hardLink) ? this.#placeOf(entry.hardLink) : undefined);
    if (first !== undefined) {
      fs.linkSync(first, to);
      return;
    }
    const source = this.#backup.entry(entry.hardLink);
    if (source?.content === undefined)
      throw new Error(`it is a hard link to ${shown(entry.hardLink)}, which has no content`);
    this.#make({ ...source, path: entry.path }, to);
    this.#setProperties({ ...source, path: entry.path }, to);
    this.#linkTargets.set(group, to);
  }

  /** Whether a file stands at the path, reached through folders only. */
  #isFile(path) {
    checkName(path);
    for (let end = path.indexOf(0x2f); end > 0; end = path.indexOf(0x2f, end + 1)) {
      const folder = fs.lstatSync(this.#placeOf(path.subarray(0, end)), { throwIfNoEntry: false });
      if (!folder?.isDirectory()) return false;
    }
    return fs.lstatSync(this.#placeOf(path), { throwIfNoEntry: false })?.isFile() === true;
  }

  #makeSpecial(entry, to) {
    // mkfifo and mknod take no raw bytes from here, so they get a plain name beside the target first.
    const plain = `${this.#target}.making-${process.pid}`;
    if (entry.kind === 'fifo') execFileSync('mkfifo', ['-m', '600', plain]);
    else {
      const { major, minor } = deviceParts(entry.deviceNumber);
      execFileSync('mknod', [
        '-m',
        '600',
        plain,
        entry.kind === 'blockDevice' ? 'b' : 'c',
        `${major}`,
        `${minor}`,
      ]);
    }
    fs.renameSync(plain, to);
  }

  #setProperties(entry, to) {
    const isLink = entry.kind === 'symlink';
    this.#attempt('owner', entry, () => fs.lchownSync(to, entry.uid, entry.gid));
    if (!isLink) this.#attempt('permissions', entry, () => fs.chmodSync(to, entry.mode));
    // As text, because node takes a negative number for the present time.
    const seconds = String(Number(entry.mtime) / 1e9);
    this.#attempt('time', entry, () => fs.lutimesSync(to, seconds, seconds));
    if (entry.attributes !== undefined) {
      const values = entry.attributes.map(([name, value]) => `${quoted(name)}=0x${value.toString('hex')}`);
      this.attributes.push(
        `# file: ${quoted(entry.path.length === 0 ? Buffer.from('.') : entry.path)}\n${values.join('\n')}\n`,
      );
    }
  }

  #attempt(what, entry, step) {
    try {
      step();
    } catch (error) {
      if (error.code !== 'EPERM') throw error;
      const list = this.notKept.get(what) ?? [];
      list.push(shown(entry.path));
      this.notKept.set(what, list);
    }
  }

  #placeOf(path) {
    return path.length === 0 ? this.#target : Buffer.concat([this.#target, slash, path]);
  }
}

/** A backup somebody tampered with must not write outside the target. */
function checkName(path) {
  if (path.length === 0) return;
  const parts = path.toString('latin1').split('/');
  if (path.includes(0) || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new Error(`the backup holds the impossible path ${shown(path)}; nothing more is restored`);
  }
}

function isWithin(path, folder) {
  if (folder.length === 0 || path.equals(folder)) return true;
  return (
    path.length > folder.length &&
    path[folder.length] === 0x2f &&
    path.subarray(0, folder.length).equals(folder)
  );
}

function writeAll(handle, data, at) {
  for (let done = 0; done < data.length;)
    done += fs.writeSync(handle, data, done, data.length - done, at + done);
}

/** Linux's encoding of a device number. */
function deviceParts(number) {
  return {
    major: ((number >> 8n) & 0xfffn) | ((number >> 32n) & 0xfffff000n),
    minor: (number & 0xffn) | ((number >> 12n) & 0xffffff00n),
  };
}

/** Names as `setfattr --restore` reads them: everything unusual in octal. */
function quoted(bytes) {
  return [...bytes]
    .map((byte) =>
      byte > 0x20 && byte < 0x7f && byte !== 0x5c && byte !== 0x3d
        ? String.fromCharCode(byte)
        : `\\${byte.toString(8).padStart(3, '0')}`,
    )
    .join('');
}
