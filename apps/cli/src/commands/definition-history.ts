import { definitionId, schedulerRequests, type DefinitionKind } from '@catena/events';
import type { CatenaClient } from '@catena/client';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { subcommand, wholeNumber, type Act } from '../command-line.ts';
import { NotPossibleError } from '../invocation.ts';
import { formatInstant } from '../presentation/quantities.ts';
import { formatTable } from '../presentation/table.ts';
import { diffLines } from '../presentation/text-diff.ts';
import { kindOf } from './get.ts';

/** One event of a definition's history. */
interface Version {
  readonly sequence: number;
  readonly at: string;
  readonly actor: string;
  readonly action: 'applied' | 'deleted';
  readonly uid: string;
  readonly generation?: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly origin?: string | undefined;
}

/** `catena history`: who changed a definition when, and what. */
export function addHistory(program: Command, act: Act): void {
  subcommand(
    program,
    'history',
    'Shows the versions of a definition and what each one changed',
    'catena history schedule nightly',
  )
    .argument('<kind>')
    .argument('<name>')
    .action(
      act(async (cli, word: string, name: string) => {
        const kind = kindOf(word);
        const versions = await versionsOf(await cli.connect(), kind, name);
        cli.answer({ kind, name, versions });
        cli.say(
          formatTable(
            ['GENERATION', 'AT', 'ACTION', 'BY', 'FROM'],
            versions.map(({ generation, at, action, actor, origin }) => [
              generation === undefined ? '-' : String(generation),
              formatInstant(at),
              action,
              actor,
              origin ?? '',
            ]),
          ),
        );
        for (const [index, version] of versions.entries()) {
          const before = versions[index - 1];
          if (version.action !== 'applied' || before?.action !== 'applied') continue;
          cli.say(`\nWhat generation ${version.generation} of ${formatInstant(version.at)} changed:`);
          const changed = diffLines(specText(before), specText(version)).filter(
            (line) => !line.startsWith(' '),
          );
          cli.say(
            changed.length === 0
              ? '  labels or the folder it is managed by'
              : changed.map((line) => `  ${line}`).join('\n'),
          );
        }
      }),
    );
}

/** `catena rollback`: applies an earlier version again, as a new one. */
export function addRollback(program: Command, act: Act): void {
  subcommand(
    program,
    'rollback',
    'Applies an earlier version of a definition again',
    'catena rollback schedule nightly            # to the version before\ncatena rollback schedule nightly --to 3',
  )
    .argument('<kind>')
    .argument('<name>')
    .option('--to <generation>', 'of the definition as it is defined now', wholeNumber(1, 1_000_000))
    .option('--dry-run', 'only check and say what would change')
    .action(
      act(async (cli, word: string, name: string, options: { to?: number; dryRun?: boolean }) => {
        const kind = kindOf(word);
        const client = await cli.connect();
        const version = versionToRestore(await versionsOf(client, kind, name), kind, name, options.to);
        const { labels, spec, generation } = version;
        const text = stringify({ apiVersion: 'catena/v1', kind, metadata: { name, labels }, spec });
        const result = await client.ask(schedulerRequests.applyDefinitions, {
          ...cli.command(),
          files: [{ name: `generation ${generation} of ${kind} ${name}`, text }],
          dryRun: options.dryRun ?? false,
        });
        cli.answer(result);
        const [outcome] = result.results;
        const would = options.dryRun && outcome?.action !== 'unchanged' ? 'would be ' : '';
        cli.say(`${kind} ${name}: ${would}${outcome?.action}, as generation ${generation} was.`);
      }),
    );
}

function versionToRestore(
  versions: readonly Version[],
  kind: DefinitionKind,
  name: string,
  to?: number,
): Version {
  // A definition that was deleted and made again is another thing: its generations begin anew.
  const uid = versions.at(-1)?.uid;
  const own = versions.filter((version) => version.action === 'applied' && version.uid === uid);
  const current = own.at(-1)?.generation ?? 0;
  const isDeleted = versions.at(-1)?.action === 'deleted';
  const wanted = to ?? (isDeleted ? current : current - 1);
  const found = own.findLast(({ generation }) => generation === wanted);
  if (found) return found;
  throw new NotPossibleError(
    `The ${kind} "${name}" has no generation ${wanted} to go back to.`,
    `See what there is: catena history ${kind.toLowerCase()} ${name}`,
  );
}

/** Oldest first. @throws NotPossibleError when there never was one of that name. */
async function versionsOf(client: CatenaClient, kind: DefinitionKind, name: string): Promise<Version[]> {
  const versions: Version[] = [];
  const aggregate = { type: 'definition', id: definitionId(kind, name) } as const;
  for await (const event of client.log.read({ aggregate })) {
    const common = { sequence: event.sequence, at: event.time, actor: event.actor };
    if (event.type === 'definition.applied') {
      const { uid, generation, labels, spec, origin } = event.data;
      versions.push({ ...common, action: 'applied', uid, generation, labels, spec, origin });
    } else if (event.type === 'definition.deleted') {
      versions.push({ ...common, action: 'deleted', uid: event.data.uid, labels: {}, spec: {} });
    }
  }
  if (versions.length > 0) return versions;
  throw new NotPossibleError(
    `There never was a ${kind} "${name}".`,
    `See what there is: catena get ${kind.toLowerCase()}`,
  );
}

function specText({ spec }: Version): string {
  return stringify(spec, { sortMapEntries: true }).trimEnd();
}
