export { byteStringOf, bytesOf, pathIn, shownName, type ByteString } from './byte-string.ts';
export {
  backingFileOf,
  deviceFact,
  devicesOn,
  diskOfPartition,
  forgetCached,
  loopDevicesOf,
  mountsOf,
  punchHole,
  sizeOfOpen,
  writesOf,
  type MountedDevice,
} from './block-device.ts';
export { alignedMemory, DIRECT_ALIGNMENT, openForDirectWriting } from './direct-writing.ts';
export { AccountNames } from './account-names.ts';
export {
  extendedAttributesOf,
  extendedAttributesOfOpen,
  removeExtendedAttribute,
  setExtendedAttribute,
  type ExtendedAttribute,
} from './extended-attributes.ts';
export { fileSystemIdentity, nameOfMount } from './file-system-identity.ts';
export { uuidOnDisk } from './superblock-uuid.ts';
export {
  kindBits,
  statusAt,
  statusOfOpen,
  statusOfPath,
  type FileKind,
  type FileStatus,
} from './file-status.ts';
export { FileSystemSync } from './file-system-sync.ts';
export { FolderHandle, type FileName } from './folder-handle.ts';
export type { InodeFlags } from './inode-flags.ts';
export { startWriting } from './start-writing.ts';
export { dataAfter } from './sparse-regions.ts';
export { blamesOneFile, SystemCallError, systemCodeOf } from './system-call-error.ts';
