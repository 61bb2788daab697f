/** What a script can rely on; documented in `catena --help` and docs/operations.md. */
export const ExitCode = {
  done: 0,
  internal: 1,
  usage: 2,
  refused: 3,
  runFailed: 4,
  doneWithWarnings: 5,
  unreachable: 6,
  damageFound: 7,
  /** Of `wal fetch`, which tells it the server as 1: there is no such file of the log. */
  notInArchive: 100,
  interrupted: 130,
  /** Of `wal fetch`: PostgreSQL ends a recovery whose restore_command ends with more than 125. */
  recoveryMustStop: 255,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/**
 * What PostgreSQL is told of its restore_command: 1 is "there is no such file", on which a recovery takes the log for complete.
 * So 1 is said for that alone, and whatever goes wrong ends with more than 125, which stops the recovery.
 */
export function toldToRecovery(code: ExitCode): number {
  if (code === ExitCode.done) return 0;
  if (code === ExitCode.notInArchive) return 1;
  return code > 125 ? code : ExitCode.recoveryMustStop;
}

/** Whether a command line is that of a restore_command, also when something stands before it that does not belong there. */
export function isRecovery(args: readonly string[]): boolean {
  const group = args.indexOf('wal');
  return group !== -1 && args.includes('fetch', group);
}

/** What holds for every command; shown at the end of `catena --help`. */
export const generalHelp = `
Every command has --help with examples, --json, and --home <folder> (default: $CATENA_HOME, else .catena).
With --json the answer is one JSON document on standard output, a refusal {"error": {code, message, remedy, …}};
"events", "ls", "find" and "diff" of backups write one document per line.

Exit codes:
  0  done                                 5  done, with warnings
  1  an error inside catena               6  the platform, or a service of it, is not there (yet)
  2  wrong usage                          7  damage, or something wrong with the set-up, was found
  3  refused; nothing was changed       130  interrupted
  4  the run failed or was cancelled      255  wal fetch: the log could not be looked for`;
