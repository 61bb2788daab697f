export { ReadStore, type ReadStoreOptions } from './read-store.ts';
export { RebuildRunningError, type RebuildOptions, type RebuildResult } from './generations/rebuild.ts';
export type { VerifyResult } from './generations/verify.ts';
export type { ReadModelDigest } from './generations/digest.ts';
export { CatalogQueries, type CatalogState } from './queries/catalog-queries.ts';
export type { Answer, Question } from './queries/questions.ts';
export { AmbiguousIdError } from './queries/id-beginning.ts';
export { UnavailableError } from './queries/unavailable-error.ts';
export { BehindError } from './projection/position-waiters.ts';
export {
  ProjectionRunner,
  type ProjectionNotice,
  type ProjectionOptions,
  type Stop,
} from './projection/projection-runner.ts';
export { CannotApplyError } from './projectors/cannot-apply-error.ts';
export { READ_MODEL_VERSION } from './projectors/read-models.ts';
