/** One configuration for all test kinds; infra/setup/test.mjs chooses which suites run. */
export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest'] },
  testEnvironmentOptions: { customExportConditions: ['@catena/source', 'node', 'node-addons'] },
  roots: ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/test', '<rootDir>/examples'],
  testMatch: ['**/*.spec.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['/dist/'],
  // For what would never end. How long anything takes is asserted nowhere: the machine may be slow and busy.
  testTimeout: 300_000,
  // A worker that leaves keeps what it compiled for the next run and gives its memory back: on a busy machine that takes
  // longer than the half a second after which Jest takes it for one that something holds.
  workerGracefulExitTimeout: 15_000,
  // For two cores: the suites of whole platforms wait for much of their time, in which a third one computes.
  maxWorkers: 3,
  testSequencer: '<rootDir>/infra/setup/waiting-first.mjs',
};
