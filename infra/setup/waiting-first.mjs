/** Suites of whole platforms mostly wait, and some of them for a minute; what only computes is over soon. */
const KINDS = [/\/test\/faults\//, /\/test\/scenarios\//, /\.int\.spec\.ts$/];

function kindOf(path) {
  const kind = KINDS.findIndex((pattern) => pattern.test(path));
  return kind === -1 ? KINDS.length : kind;
}

/**
 * The order in which Jest begins the suites: those that take long first, whatever it knows of earlier runs, so that the
 * workers end together.
 */
export default class WaitingFirst {
  sort(tests) {
    const sizeOf = ({ path, context }) => context.hasteFS.getSize(path) ?? 0;
    return [...tests].sort((a, b) => kindOf(a.path) - kindOf(b.path) || sizeOf(b) - sizeOf(a));
  }

  /** For Jest's `--onlyFailures`: nothing is remembered of earlier runs, so that all may have failed. */
  allFailedTests(tests) {
    return tests;
  }

  cacheResults() {}
}
