export * from './file-tree.ts';
export * from './seeded-bytes.ts';
export * from './temporary-folder.ts';
export * from './store-contract.ts';
export * from './object-damage.ts';
export * from './watched-store.ts';
export * from './backup-history.ts';
