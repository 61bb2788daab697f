export { ScratchServer } from '../restoring/scratch-server.ts';
export {
  BACKUP_ROLE,
  startProtectedCluster,
  type ProtectedCluster,
  type ProtectedClusterOptions,
} from './protected-cluster.ts';
export { Writer } from './writer.ts';
