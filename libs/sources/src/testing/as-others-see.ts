/** Two trees laid side by side by programs of others. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';

const everything = 256 * 1024 * 1024;

/**
 * What `rsync -aHAX --checksum` would change to make the second tree the first, and whether `tar` packs both into the
 * same archive: names, kinds, owners, modes, times to the nanosecond, links, attributes, ACLs, holes and content.
 */
export function differencesForOthers(a: string, b: string): string[] {
  return [...forRsync(a, b), ...forTar(a, b)];
}

function forRsync(a: string, b: string): string[] {
  const { status, stdout, stderr } = spawnSync(
    'rsync',
    // Neither program can follow as deep as the tree goes.
    [
      '-aHAX',
      '--checksum',
      '--dry-run',
      '--itemize-changes',
      '--delete',
      '--exclude=/deep-*',
      `${a}/`,
      `${b}/`,
    ],
    { encoding: 'latin1', maxBuffer: everything },
  );
  if (status !== 0) return [`rsync ended with ${status}: ${stderr}`];
  return stdout.split('\n').filter((line) => line !== '');
}

const formats: Readonly<Record<string, readonly string[]>> = {
  // What tar itself brings in stays out: its process, and times that no copy has.
  'with attributes': [
    ...['--format=posix', '--pax-option=exthdr.name=%d/%f,delete=atime,delete=ctime'],
    ...['--xattrs', '--xattrs-include=*', '--acls'],
  ],
  // Zeros that were written come back as a hole.
  'with holes': ['--format=gnu', '--sparse', '--hole-detection=raw', '--exclude=./holes/written zeros'],
};

function forTar(a: string, b: string): string[] {
  return Object.entries(formats).flatMap(([what, options]) => {
    const [left, right] = [archiveOf(a, options), archiveOf(b, options)];
    if (left.digest === right.digest) return [];
    const [first, second] = [left, right].map(({ listing }) => listing.split('\n')) as [string[], string[]];
    const only = (these: string[], those: string[]) => these.filter((line) => !those.includes(line));
    return [
      `tar packs them differently, ${what}`,
      ...only(first, second).map((line) => `- ${line}`),
      ...only(second, first).map((line) => `+ ${line}`),
    ];
  });
}

function archiveOf(tree: string, options: readonly string[]): { digest: string; listing: string } {
  const archive = `${tree}.tar`;
  try {
    const all = ['--create', `--file=${archive}`, '--sort=name', '--numeric-owner', '--exclude=./deep-*'];
    const packed = spawnSync('tar', [...all, ...options, '--warning=no-file-ignored', '-C', tree, '.'], {
      encoding: 'utf8',
    });
    if (packed.status !== 0) throw new Error(`tar ended with ${packed.status}: ${packed.stderr}`);
    const list = [
      '--list',
      '-vv',
      '--full-time',
      '--numeric-owner',
      '--xattrs',
      '--acls',
      `--file=${archive}`,
    ];
    const { stdout } = spawnSync('tar', list, { encoding: 'latin1', maxBuffer: everything });
    return { digest: createHash('sha256').update(fs.readFileSync(archive)).digest('hex'), listing: stdout };
  } finally {
    fs.rmSync(archive, { force: true });
  }
}
