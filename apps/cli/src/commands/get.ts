import {
  catalogRequests,
  definitionKind,
  type DefinitionKind,
  type DefinitionView,
  type ScheduleStatusView,
} from '@catena/events';
import type { CatenaClient } from '@catena/client';
import { askCurrent } from '../ask-current.ts';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { instant, subcommand, type Act } from '../command-line.ts';
import { NotPossibleError, UsageError } from '../invocation.ts';
import { gather } from '../pages.ts';
import { scheduleStatuses, statusTable } from './schedule-status.ts';
import { definitionTable } from '../presentation/definition-table.ts';

const words: Record<string, DefinitionKind> = Object.fromEntries(
  definitionKind.options.flatMap((kind) => [kind.toLowerCase(), pluralOf(kind)].map((word) => [word, kind])),
);

function pluralOf(kind: DefinitionKind): string {
  const lower = kind.toLowerCase();
  if (lower.endsWith('s')) return lower;
  return lower.endsWith('y') ? `${lower.slice(0, -1)}ies` : `${lower}s`;
}

/** The kind that a word of the command line means: `source`, `sources`, `Source`. */
export function kindOf(word: string): DefinitionKind {
  const kind = words[word.toLowerCase()];
  if (!kind)
    throw new UsageError(
      `"${word}" is not a kind of definition.`,
      `Use one of: ${definitionKind.options.map(pluralOf).join(', ')}.`,
    );
  return kind;
}

/** A definition as YAML that can be applied again. */
export function yamlOf({ kind, name, labels, spec }: DefinitionView): string {
  const metadata = Object.keys(labels).length === 0 ? { name } : { name, labels };
  return stringify({ apiVersion: 'catena/v1', kind, metadata, spec });
}

/** The definitions of a kind that are not deleted. @throws NotPossibleError when a name is given and there is none. */
export async function definitionsOf(
  client: CatenaClient,
  kind: DefinitionKind,
  filter: { name?: string | undefined; asOf?: string | undefined },
) {
  const page = await gather((after) =>
    askCurrent(client, catalogRequests.listDefinitions, { kind, ...filter, after, limit: 1000 }),
  );
  const items = page.items.filter((item) => !item.deleted);
  if (filter.name !== undefined && items.length === 0)
    throw new NotPossibleError(
      `There is no ${kind} "${filter.name}".`,
      `See what there is: catena get ${pluralOf(kind)}`,
    );
  return { ...page, items };
}

function withStatus(items: readonly DefinitionView[], statuses: readonly ScheduleStatusView[]) {
  const byId = new Map(statuses.map((one) => [one.id, one]));
  return items.map((item) => ({ ...item, status: byId.get(item.uid) }));
}

interface GetOptions {
  yaml?: boolean;
  asOf?: string;
}

/** `catena get`: definitions, as a list or as the YAML that makes them again. */
export function addGet(program: Command, act: Act): void {
  subcommand(
    program,
    'get',
    'Lists definitions',
    'catena get schedules\ncatena get source home --yaml\ncatena get sources --as-of 2026-03-01T00:00:00Z',
  )
    .argument('<kind>', definitionKind.options.map(pluralOf).join(', '))
    .argument('[name]', 'only this one')
    .option('--yaml', 'as YAML that can be applied again')
    .option('--as-of <time>', 'as they stood then', instant)
    .action(
      act(async (cli, word: string, name: string | undefined, { yaml, asOf }: GetOptions) => {
        const kind = kindOf(word);
        const client = await cli.connect();
        const page = await definitionsOf(client, kind, { name, asOf });
        const statuses =
          kind === 'Schedule' && asOf === undefined && !yaml
            ? await scheduleStatuses(client, name)
            : undefined;
        cli.answer(statuses ? { ...page, items: withStatus(page.items, statuses) } : page);
        if (yaml) cli.say(page.items.map(yamlOf).join('---\n').trimEnd());
        else if (page.items.length === 0) cli.say(`There are no ${pluralOf(kind)}.`);
        else if (statuses) cli.say(statusTable(statuses));
        else {
          const states =
            kind === 'Schedule'
              ? (
                  await gather((after) =>
                    askCurrent(client, catalogRequests.listSchedules, { asOf, after, limit: 1000 }),
                  )
                ).items
              : [];
          cli.say(definitionTable(kind, page.items, states));
        }
        if (page.stale) cli.remark(`The catalog is behind: ${page.stale}`);
      }),
    );
}
