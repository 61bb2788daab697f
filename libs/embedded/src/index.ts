export { EmbeddedError, type EmbeddedErrorCode } from './embedded-error.ts';
export { findNatsServer, type FindNatsOptions, type NatsBinary } from './nats/find-nats-server.ts';
export { NATS_ROLES, type NatsRole, type NatsUser } from './nats/service-accounts.ts';
