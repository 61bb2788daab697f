import { chmodSync, statSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from '@jest/globals';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { makeOpenFolder } from './open-folder.ts';

it('a folder is as open as it should be under any umask, with those above it that were missing, and no other', async () => {
  await using above = await temporaryFolder(0o700);
  const folder = path.join(above.path, 'shared', 'bin');
  const modes = () => [above.path, path.dirname(folder), folder].map((each) => statSync(each).mode & 0o777);
  const before = process.umask(0o077);
  try {
    await makeOpenFolder(folder, 0o755);
    expect(modes()).toEqual([0o700, 0o755, 0o755]);
    chmodSync(folder, 0o711);
    await makeOpenFolder(folder, 0o755);
    expect(modes()).toEqual([0o700, 0o755, 0o711]);
  } finally {
    process.umask(before);
  }
});
