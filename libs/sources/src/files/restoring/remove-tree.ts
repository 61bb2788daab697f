import type { ByteString, FolderHandle } from '../../system-calls/index.ts';

/** Removes a name with all below it, without following links; also what its owner may not write to. */
export function removeTree(folder: FolderHandle, name: ByteString): void {
  const status = folder.statusIfThere(name);
  if (status === undefined) return;
  if (status.kind !== 'folder') {
    folder.removeFile(name);
    return;
  }
  const stack = [
    { parent: folder, name, handle: enter(folder, name), names: undefined as ByteString[] | undefined },
  ];
  try {
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      top.names ??= top.handle.names();
      const next = top.names.pop();
      if (next === undefined) {
        top.handle.close();
        stack.pop();
        top.parent.removeFolder(top.name);
      } else if (top.handle.status(next).kind === 'folder') {
        stack.push({ parent: top.handle, name: next, handle: enter(top.handle, next), names: undefined });
      } else {
        top.handle.removeFile(next);
      }
    }
  } finally {
    for (const frame of stack) frame.handle.close();
  }
}

/** A restored folder may forbid its own owner to look inside or to take something out. */
export function enter(folder: FolderHandle, name: ByteString): FolderHandle {
  const status = folder.status(name);
  // Root needs no permission; of anybody else's folder the removal itself will say what is wrong.
  if ((status.mode & 0o700) !== 0o700 && status.uid === process.geteuid?.() && status.uid !== 0) {
    folder.setMode(name, 0o700);
  }
  return folder.openFolder(name);
}
