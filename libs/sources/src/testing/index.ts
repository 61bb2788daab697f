export {
  canLoop,
  canMount,
  canMountType,
  hasProgram,
  LoopDevice,
  makeFileSystem,
  MountedFileSystem,
} from './loop-device.ts';
export { InMemoryVaultFake, type FakeReader, type FakeWriter } from './in-memory-vault-fake.ts';
export { differencesForOthers } from './as-others-see.ts';
export { makeFlaggedTree, makeNastyTree } from './nasty-tree.ts';
export { isRoot, letClockTick, makeSampleTree, ScratchFolder, seededBytes } from './sample-tree.ts';
export { describeSourceDriver, type DriverSubject } from './source-driver-contract.ts';
