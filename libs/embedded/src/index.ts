export {
  startAnotherPostgres,
  type AnotherPostgres,
  type AnotherPostgresOptions,
} from './another-postgres.ts';
export { EmbeddedError, type EmbeddedErrorCode } from './embedded-error.ts';
export { resolveCache } from './home/cache-folder.ts';
export { readEndpoints, type Endpoints } from './home/endpoints.ts';
export { homeLayout, resolveHome, type HomeLayout } from './home/home-layout.ts';
export { readHolder, type HomeHolder } from './home/home-lock.ts';
export { tryLock, type ExclusiveLock } from './lock/exclusive-lock.ts';
export { findNatsServer, type FindNatsOptions, type NatsBinary } from './nats/find-nats-server.ts';
export { NATS_ROLES, type NatsRole, type NatsUser } from './nats/service-accounts.ts';
export { MINIMUM_NATS_VERSION } from './nats/nats-version.ts';
export {
  startPlatform,
  type Platform,
  type PlatformEvent,
  type PlatformOptions,
  type PlatformServer,
} from './platform.ts';
export { findPostgres, type PostgresBinaries } from './postgres/find-postgres.ts';
export { findProgramsOfMajor, type WantedPrograms } from './postgres/programs-of-major.ts';
export type { ChildFolders, ChildSpec } from './process/child-spec.ts';
export { identifyProcess, isRunning, type ProcessIdentity } from './process/process-identity.ts';
export {
  Supervisor,
  type ChildEvent,
  type RestartPolicy,
  type SupervisedChild,
  type SupervisorOptions,
} from './process/supervisor.ts';
