/** What a script can rely on; documented in docs/cli.md and in `catena --help`. */
export const ExitCode = {
  done: 0,
  internal: 1,
  usage: 2,
  refused: 3,
  runFailed: 4,
  doneWithWarnings: 5,
  unreachable: 6,
  damageFound: 7,
  interrupted: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export const exitCodeHelp = `
Exit codes:
  0  done                                 5  done, with warnings
  1  an error inside catena               6  the platform cannot be reached
  2  wrong usage                          7  damage was found
  3  refused; nothing was changed       130  interrupted
  4  the run failed or was cancelled`;
