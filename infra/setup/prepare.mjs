// Makes a clone ready: dependencies as locked, the right node, everything compiled. Runs on node 20 with nothing installed.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const workspace = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const binaries = path.join(workspace, 'node_modules', '.bin');

/** The environment in which `node` is the project's own node, whatever the machine has. */
export function projectEnvironment(extra = {}) {
  return {
    ...process.env,
    NX_DAEMON: 'false',
    PATH: `${binaries}${path.delimiter}${process.env.PATH ?? ''}`,
    ...extra,
  };
}

/** Runs a program in the workspace and answers its exit code; output goes where ours goes. */
export function run(command, args, { env = projectEnvironment(), quiet = false, cwd = workspace } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit',
    });
    let output = '';
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.stderr?.on('data', (chunk) => (output += chunk));
    const forward = (signal) => child.kill(signal);
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    // Ctrl-C reaches the whole foreground group already; a signal sent to this process alone does not.
    const handlers = signals.map((signal) => [
      signal,
      () => (signal === 'SIGINT' && process.stdin.isTTY ? undefined : forward(signal)),
    ]);
    for (const [signal, handler] of handlers) process.on(signal, handler);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      for (const [name, handler] of handlers) process.off(name, handler);
      if (quiet && code !== 0) process.stderr.write(output);
      resolve(code ?? (signal ? 1 : 0));
    });
  });
}

function lockDigest(folder) {
  const hash = createHash('sha256').update(process.platform).update(process.arch);
  return hash.update(readFileSync(path.join(folder, 'package-lock.json'))).digest('hex');
}

async function mustSucceed(step, command, args, options) {
  const code = await run(command, args, options);
  if (code !== 0) {
    console.error(`${step} failed with exit code ${code}: ${command} ${args.join(' ')}`);
    process.exit(code || 1);
  }
}

/** Installs what package-lock.json names, unless exactly that is installed. */
export async function install() {
  await installIn(workspace, 'dependencies', { isWhole: existsSync(path.join(binaries, 'node')) });
}

/** Installs the PostgreSQL servers that only tests need. Where that cannot be, the tests that need them fail and say so. */
export async function installTestServers() {
  const folder = path.join(workspace, 'test', 'postgres-servers');
  await installIn(folder, 'PostgreSQL 13 to 17 for the tests', { mayLack: true });
}

async function installIn(folder, what, { isWhole = true, mayLack = false }) {
  const wanted = lockDigest(folder);
  const stamp = path.join(folder, 'node_modules', '.catena-installed');
  if (isWhole && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.log(`Installing ${what} (once for each change of package-lock.json) …`);
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const options = { env: process.env, cwd: folder };
  if (!mayLack) await mustSucceed('The installation', 'npm', args, options);
  else if ((await run('npm', args, options)) !== 0) return;
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

/** Compiles what has changed. */
export async function build() {
  await mustSucceed('The build', 'tsc', ['--build', 'tsconfig.json']);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await install();
  await build();
}
