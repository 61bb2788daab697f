export { BackedUpCluster } from './backed-up-cluster.ts';
export { ScratchServer } from '../scratch/scratch-server.ts';
export {
  BACKUP_ROLE,
  startProtectedCluster,
  type ProtectedCluster,
  type ProtectedClusterOptions,
} from './protected-cluster.ts';
export { StubbornWriter } from './stubborn-writer.ts';
export { Writer } from './writer.ts';
