import { lstatSync, readdirSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from '@jest/globals';
import { runCommand } from '../process/run-command.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { findPostgres } from './find-postgres.ts';
import { lookUpUser } from './system-user.ts';
import { usableBinaries } from './usable-binaries.ts';

it('PostgreSQL runs from a copy where its own folder is shut and lacks the symbolic links, and is copied once', async () => {
  await using shut = await temporaryFolder(0o700);
  await using open = await temporaryFolder(0o755);
  const native = path.join(shut.path, 'native');
  await cp((await findPostgres({})).native!, native, { recursive: true, verbatimSymlinks: true });
  for (const name of readdirSync(path.join(native, 'lib'))) {
    const file = path.join(native, 'lib', name);
    if (lstatSync(file).isSymbolicLink()) await rm(file);
  }
  const found = { bin: path.join(native, 'bin'), native, version: '18.4', from: 'package' as const };
  const user = process.getuid?.() === 0 ? await lookUpUser('nobody') : undefined;
  const messages: string[] = [];
  const copies = path.join(open.path, 'bin');
  const usable = () => usableBinaries(found, user, copies, (message) => messages.push(message));
  const [first, second] = await Promise.all([usable(), usable()]);
  expect(second).toBe(first);
  expect(messages.filter((message) => message.startsWith('copying'))).toHaveLength(1);
  const asUser = { cwd: '/', timeoutMs: 10_000, ...(user ? { user } : {}) };
  const { stdout } = await runCommand(path.join(first, 'postgres'), ['--version'], asUser);
  expect(stdout).toContain('PostgreSQL');
});
