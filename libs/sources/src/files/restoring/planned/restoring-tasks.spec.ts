import { afterEach, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { byteStringOf, FolderHandle } from '../../../system-calls/index.ts';
import { ScratchFolder } from '../../../testing/sample-tree.ts';
import { restoringTasks } from './restoring-tasks.ts';

const scratch = new ScratchFolder();
afterEach(() => scratch.remove());

it('a file that cannot be brought to its end is closed', async () => {
  fs.mkdirSync(scratch.at('staged'), { recursive: true });
  using folder = FolderHandle.open(Buffer.from(scratch.at('staged')));
  const context = { state: new Map<string, unknown>() };
  const name = byteStringOf(Buffer.from('letter'));
  restoringTasks.open({ lane: 1, folder: folder.fd, name, size: 0 }, context);
  // Somebody takes it away before it has its metadata.
  fs.rmSync(scratch.at('staged/letter'));
  const metadata = { kind: 'file', mode: 0o600, uid: 0, gid: 0, mtime: 0n } as const;
  const file = { folder: folder.fd, name, path: name, size: 0, metadata, sync: false };
  const sha256 = createHash('sha256').digest();
  await expect(restoringTasks.end({ lane: 1, file: { ...file, sha256 } }, context)).rejects.toThrow('letter');
  expect(scratch.openFiles()).toEqual([scratch.at('staged')]);
  expect([...context.state.keys()].filter((key) => key.startsWith('lane'))).toEqual([]);
});
