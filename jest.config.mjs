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
  // Two cores: more workers only make the real servers of the integration suites compete with each other.
  maxWorkers: 2,
};
