/** The folder that a server pushes its log into: light to load, because a program is started for each segment. */
export { WalSpool } from './wal-spool.ts';
export { WalSpoolError, type WalSpoolErrorCode } from './wal-spool-error.ts';
export { readWalFileName } from './wal-file-name.ts';
