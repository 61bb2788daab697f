import { schedulerRequests, type EventData } from '@catena/events';
import type { VerifyDepth, VerifyReport } from '@catena/vault';
import { Option, type Command } from 'commander';
import { chooseFromCatalog } from '../backup-choice.ts';
import { subcommand, type Act } from '../command-line.ts';
import { ExitCode } from '../exit-codes.ts';
import { runAnswer, watchToTheEnd } from '../follow.ts';
import { UsageError, type Invocation } from '../invocation.ts';
import { formatBytes, plural } from '../presentation/quantities.ts';
import {
  namesFolder,
  openByHand,
  repositoryOptions,
  type RepositoryOptions,
} from '../repository/open-by-hand.ts';

interface VerifyCommandOptions extends RepositoryOptions {
  depth: VerifyDepth;
  wait: boolean;
}

const FILES_SHOWN = 20;

function sayReport(cli: Invocation, collection: string, report: VerifyReport, keysGiven: boolean): void {
  cli.say(
    `${collection}: ${plural(report.backups.length, 'backup')}, ${plural(report.objects, 'object')}${report.depth === 'checksums' ? `, ${formatBytes(report.bytes)} read back` : ' looked for'}: ${report.damages.length === 0 ? 'everything is as it was written' : `${report.damages.length} DAMAGED`}`,
  );
  if (!report.opened)
    cli.remark(
      `  ${keysGiven ? 'None of the given keys opens it' : 'No key was given'}: objects were checked by their hashes. The files in them cannot be named.`,
    );
  for (const damage of report.damages) {
    cli.say(`  ${damage.object}: ${damage.reason}`);
    cli.say(`    backups: ${damage.backups.join(', ') || 'unknown'}`);
    for (const file of damage.files.slice(0, FILES_SHOWN)) cli.say(`    file: ${file}`);
    if (damage.files.length > FILES_SHOWN) cli.say(`    … and ${damage.files.length - FILES_SHOWN} more`);
  }
}

/** With no service: reads the repository itself. */
async function verifyByHand(
  cli: Invocation,
  folder: string,
  backup: string | undefined,
  options: VerifyCommandOptions,
): Promise<void> {
  const repository = await openByHand(folder, options);
  const keysGiven = [options.keyFile, options.passphraseFile, options.recoveryKey].some(
    (key) => key !== undefined,
  );
  try {
    const reports: ({ collection: string } & VerifyReport)[] = [];
    for (const id of await repository.collections()) {
      const report = await repository.collection(id).verify({
        depth: options.depth,
        signal: cli.signal,
        ...(backup === undefined ? {} : { backups: [backup] }),
      });
      reports.push({ collection: id, ...report });
      sayReport(cli, id, report, keysGiven);
    }
    cli.answer({ collections: reports });
    if (reports.some((report) => report.damages.length > 0)) cli.exit(ExitCode.damageFound);
    else if (keysGiven && !reports.some(({ opened }) => opened)) cli.exit(ExitCode.doneWithWarnings);
  } finally {
    await repository.close();
  }
}

/** One backup, which names its repository, or all of a repository. */
async function whatToVerify(
  cli: Invocation,
  backup: string | undefined,
  repository: string | undefined,
): Promise<{ repository: string; backup?: string }> {
  if (backup !== undefined) {
    const chosen = await chooseFromCatalog(await cli.connect(), undefined, repository, { backup });
    return { repository: chosen.backup.repository, backup: chosen.backup.backup };
  }
  if (repository === undefined)
    throw new UsageError('Say what to verify: a backup, or --repository <name|folder>.');
  return { repository };
}

/** By the platform: recorded on every backup it looked at. */
async function verifyByPlatform(
  cli: Invocation,
  backup: string | undefined,
  options: VerifyCommandOptions,
): Promise<void> {
  const what = await whatToVerify(cli, backup, options.repository);
  const client = await cli.connect();
  const accepted = await client.ask(schedulerRequests.requestVerify, {
    ...cli.command(),
    ...what,
    depth: options.depth,
  });
  if (!options.wait) {
    cli.answer(accepted);
    cli.say(accepted.run);
    return;
  }
  const outcome = await watchToTheEnd(cli, client, accepted.run);
  const damaged: (EventData<'backup.damaged'> & { backup: string })[] = [];
  for await (const event of client.log.read({ types: ['backup.damaged'], from: accepted.sequence })) {
    if (event.type === 'backup.damaged' && event.data.run === accepted.run)
      damaged.push({ backup: event.aggregate.id, ...event.data });
  }
  for (const { backup: id, missing, problems } of damaged) {
    cli.say(`  DAMAGED ${id}${missing ? ': it is gone' : ''}`);
    for (const { object, message, paths } of problems) {
      cli.say(`    ${object}: ${message}`);
      for (const file of paths.slice(0, FILES_SHOWN)) cli.say(`      file: ${file}`);
      if (paths.length > FILES_SHOWN) cli.say(`      … and ${paths.length - FILES_SHOWN} more`);
    }
  }
  cli.answer({ ...runAnswer(accepted.run, outcome), damaged });
  if (damaged.length > 0) cli.exit(ExitCode.damageFound);
  else if (outcome.state === 'completed') cli.say('  Everything is as it was written.');
}

/** `catena verify`: is what was written still there, byte by byte. */
export function addVerify(program: Command, act: Act): void {
  repositoryOptions(
    subcommand(
      program,
      'verify',
      'Reads backups back and names what is damaged',
      'catena verify --repository vault\ncatena verify bkp-4t1c --depth presence\ncatena verify --repository /mnt/vault --key-file vault.key     # no service needed',
    ),
  )
    .argument('[backup]', 'one backup (default: all of the repository)')
    .addOption(
      new Option('--depth <depth>', 'presence: objects are there; checksums: every byte is read')
        .choices(['presence', 'checksums'])
        .default('checksums'),
    )
    .option('--no-wait', 'only ask for it')
    .action(
      act(async (cli, backup: string | undefined, options: VerifyCommandOptions) => {
        if (namesFolder(options.repository)) await verifyByHand(cli, options.repository, backup, options);
        else await verifyByPlatform(cli, backup, options);
      }),
    );
}
