// Debian's programs that tests compare with. Without root or apt the tests that want one say so in their names.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { run } from './prepare.mjs';

/** dpkg also knows packages that were removed and left their configuration behind: those are missing. */
function missing(packages) {
  const status = (name) =>
    spawnSync('dpkg-query', ['--show', '--showformat=${db:Status-Status}', name], { encoding: 'utf8' })
      .stdout;
  return packages.filter((name) => status(name) !== 'installed');
}

/** Installs what is missing of the packages, as far as this user can. */
export async function installDebianPackages(packages) {
  if (!existsSync('/usr/bin/apt-get') || process.getuid?.() !== 0) return;
  const wanted = missing(packages);
  if (wanted.length === 0) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-qq'], { env, quiet: true });
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...wanted], { env, quiet: true });
  const still = missing(wanted);
  if (still.length > 0)
    console.warn(`Not installable here: ${still.join(', ')}; the tests that use them say so.`);
}
