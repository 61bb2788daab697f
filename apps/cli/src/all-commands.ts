import type { Command } from 'commander';
import type { Act } from './command-line.ts';

type Add = (program: Command, act: Act) => void;

/** A command, or several that belong together, loaded when somebody wants one: most calls want one of them. */
interface Loadable {
  readonly names: readonly string[];
  readonly load: () => Promise<Add>;
}

const command = (names: string, load: () => Promise<Add>): Loadable => ({ names: names.split(' '), load });

/** In the order in which a newcomer needs them; help shows them so, under these headings. */
const groups: readonly (readonly [heading: string, commands: readonly Loadable[]])[] = [
  [
    'Get going:',
    [
      command('quickstart', async () => (await import('./commands/quickstart.ts')).addQuickstart),
      command('up', async () => (await import('./commands/up.ts')).addUp),
      command('status', async () => (await import('./commands/status.ts')).addStatus),
      command('doctor', async () => (await import('./commands/doctor.ts')).addDoctor),
    ],
  ],
  [
    'What to protect:',
    [
      command('apply', async () => (await import('./commands/apply.ts')).addApply),
      command('get', async () => (await import('./commands/get.ts')).addGet),
      command('describe', async () => (await import('./commands/describe.ts')).addDescribe),
      command('history', async () => (await import('./commands/definition-history.ts')).addHistory),
      command('rollback', async () => (await import('./commands/definition-history.ts')).addRollback),
      command('delete', async () => (await import('./commands/delete.ts')).addDelete),
    ],
  ],
  [
    'When:',
    [
      command('run pause resume', async () => (await import('./commands/schedules.ts')).addScheduleCommands),
      command('preview', async () => (await import('./commands/preview.ts')).addPreview),
      command('backfill', async () => (await import('./commands/backfill.ts')).addBackfill),
    ],
  ],
  [
    'Backups:',
    [
      command('backup', async () => (await import('./commands/backup.ts')).addBackup),
      command('backups', async () => (await import('./commands/backups.ts')).addBackups),
      command('chains restore-points', async () => (await import('./commands/chains.ts')).addChains),
      command('verify', async () => (await import('./commands/verify.ts')).addVerify),
      command('explain', async () => (await import('./commands/explain.ts')).addExplain),
      command('keep unkeep', async () => (await import('./commands/keep.ts')).addKeep),
      command('simulate', async () => (await import('./commands/simulate.ts')).addSimulate),
      command('accept', async () => (await import('./commands/accept.ts')).addAccept),
    ],
  ],
  [
    'Getting data back:',
    [
      command('restore', async () => (await import('./commands/restore.ts')).addRestore),
      command('find', async () => (await import('./commands/find.ts')).addFind),
      command('ls', async () => (await import('./commands/ls.ts')).addLs),
      command('cat', async () => (await import('./commands/cat.ts')).addCat),
      command('serve', async () => (await import('./commands/serve.ts')).addServe),
      command('mount', async () => (await import('./commands/mount.ts')).addMount),
      command('diff', async () => (await import('./commands/diff.ts')).addDiff),
      command('wal', async () => (await import('./commands/wal.ts')).addWal),
      command('plan', async () => (await import('./commands/plan.ts')).addPlan),
    ],
  ],
  [
    'What happens:',
    [
      command('runs', async () => (await import('./commands/runs.ts')).addRuns),
      command('cancel', async () => (await import('./commands/cancel.ts')).addCancel),
      command('events', async () => (await import('./commands/events.ts')).addEvents),
      command('dead-letters', async () => (await import('./commands/dead-letters.ts')).addDeadLetters),
    ],
  ],
  [
    'Keys, catalog and log:',
    [
      command('key', async () => (await import('./commands/key.ts')).addKey),
      command('catalog', async () => (await import('./commands/catalog.ts')).addCatalog),
      command('log', async () => (await import('./commands/log.ts')).addLog),
      command('sweep', async () => (await import('./commands/sweep.ts')).addSweep),
    ],
  ],
  [
    'More:',
    [
      command('completion', async () => (await import('./commands/completion.ts')).addCompletion),
      command('version', async () => (await import('./commands/version.ts')).addVersion),
    ],
  ],
];

/** The completion script names every command. */
const NEEDS_ALL = 'completion';

/**
 * Adds the command that a command line begins with; all of them when it begins with something else, such as `help` or what
 * is no command, because then what is there has to be told.
 */
export async function addCommands(
  program: Command,
  act: Act,
  [wanted = '']: readonly string[],
): Promise<void> {
  const one = groups
    .flatMap(([, commands]) => commands)
    .find(({ names }) => wanted !== NEEDS_ALL && names.includes(wanted));
  for (const [heading, commands] of groups) {
    program.commandsGroup(heading);
    for (const { load } of one === undefined ? commands : commands.filter((each) => each === one))
      (await load())(program, act);
  }
}
