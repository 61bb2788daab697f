// `npm test`: sets up and runs every suite. `--long` runs the same suites at length; other arguments go to Jest.
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { installDebianPackages } from './debian-packages.mjs';
import { build, install, installTestServers, projectEnvironment, run, workspace } from './prepare.mjs';

const long = process.argv.includes('--long');
const jestArguments = process.argv.slice(2).filter((argument) => argument !== '--long');

// Folders that tests make are entered by PostgreSQL's user when root tests, whatever root's own umask shuts.
process.umask(0o022);
await install();
// Mostly a wait for others, which the first suites, for which nothing of it is needed, need not share.
const installing = Promise.all([
  installTestServers(),
  installDebianPackages([
    'cadaver',
    ...['rsync', 'strace', 'git', 'qemu-utils', 'e2fsprogs'],
    ...(long ? ['xfsprogs', 'btrfs-progs'] : []),
  ]),
]);
// What goes wrong there is told where it is waited for.
installing.catch(() => undefined);
await build();

let passed = 0;
let failed = 0;
let exitCode = 0;

/** Many short processes of the same programs: what node compiled once need not be compiled again. */
const compileCache = path.join(workspace, 'node_modules', '.cache', 'catena-tests');

/** One Jest run; its figures come from Jest's own report, so that a run that died counts as a failure. */
async function suite(name, timeZone, args) {
  console.log(`\n# ${name} (TZ=${timeZone})`);
  const report = path.join(tmpdir(), `catena-test-${process.pid}-${name}.json`);
  const env = projectEnvironment({
    TZ: timeZone,
    NODE_COMPILE_CACHE: compileCache,
    ...(long ? { CATENA_TEST_LONG: '1' } : {}),
  });
  const code = await run(
    'node',
    [
      '--experimental-vm-modules',
      '--no-warnings',
      'node_modules/jest/bin/jest.js',
      '--json',
      `--outputFile=${report}`,
      ...args,
    ],
    { env },
  );
  if (code !== 0) exitCode = 1;
  try {
    const result = JSON.parse(readFileSync(report, 'utf8'));
    passed += result.numPassedTests;
    failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
    if (result.numTotalTests === 0) exitCode = 1;
  } catch (error) {
    console.error(`The suite "${name}" left no report: ${error.message}`);
    failed += 1;
    exitCode = 1;
  } finally {
    rmSync(report, { force: true });
  }
}

if (jestArguments.length > 0) {
  await installing;
  await suite('chosen', process.env.TZ ?? 'UTC', jestArguments);
} else {
  await suite('domain-elsewhere', 'Australia/Sydney', [
    'libs/schedule',
    'libs/run',
    'libs/chain',
    'libs/events',
    '--testPathIgnorePatterns',
    'int\\.spec',
  ]);
  await installing;
  await suite('all', 'UTC', []);
}

if (failed > 0) exitCode = 1;
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(exitCode);
