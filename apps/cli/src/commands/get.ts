import { catalogRequests, definitionKind, type DefinitionKind } from '@catena/events';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { subcommand, type Act } from '../command-line.ts';
import { UsageError } from '../invocation.ts';
import { gather } from '../pages.ts';
import { formatInstant } from '../presentation/quantities.ts';
import { formatTable } from '../presentation/table.ts';

const words: Record<string, DefinitionKind> = Object.fromEntries(
  definitionKind.options.flatMap((kind) => {
    const lower = kind.toLowerCase();
    const plural = lower.endsWith('y') ? `${lower.slice(0, -1)}ies` : `${lower}s`;
    return [lower, plural].map((word) => [word, kind]);
  }),
);

/** The kind that a word of the command line means: `source`, `sources`, `Source`. */
export function kindOf(word: string): DefinitionKind {
  const kind = words[word.toLowerCase()];
  if (!kind)
    throw new UsageError(
      `"${word}" is not a kind of definition.`,
      `Use one of: ${Object.keys(words).join(', ')}.`,
    );
  return kind;
}

/** `catena get`: definitions, as a list or as the YAML that makes them again. */
export function addGet(program: Command, act: Act): void {
  subcommand(
    program,
    'get',
    'Lists definitions',
    'catena get schedules\ncatena get source home --yaml\ncatena get sources --as-of 2026-03-01T00:00:00Z',
  )
    .argument('<kind>', 'sources, repositories, schedules or subscriptions')
    .argument('[name]')
    .option('--yaml', 'as YAML that can be applied again')
    .option('--as-of <time>', 'as they stood then')
    .action(
      act(async (cli, word: string, name: string | undefined, options: { yaml?: boolean; asOf?: string }) => {
        const kind = kindOf(word);
        const client = await cli.connect();
        const page = await gather((after) =>
          client.ask(catalogRequests.listDefinitions, { kind, name, asOf: options.asOf, after, limit: 1000 }),
        );
        const items = page.items.filter((item) => !item.deleted);
        if (options.yaml) {
          cli.say(
            items
              .map((item) =>
                stringify({
                  apiVersion: 'catena/v1',
                  kind: item.kind,
                  metadata: { name: item.name, labels: item.labels },
                  spec: item.spec,
                }),
              )
              .join('---\n')
              .trimEnd(),
          );
        } else if (kind === 'Schedule') {
          const states = await gather((after) =>
            client.ask(catalogRequests.listSchedules, { asOf: options.asOf, after, limit: 1000 }),
          );
          const byUid = new Map(states.items.map((state) => [state.uid, state]));
          cli.say(
            formatTable(
              ['NAME', 'SOURCE', 'REPOSITORY', 'STATE', 'LAST RUN', 'NOTE'],
              items.map((item) => {
                const state = byUid.get(item.uid);
                const lastFired = Object.values(state?.lastFired ?? {})
                  .sort()
                  .at(-1);
                return [
                  item.name,
                  String(item.spec['source']),
                  String(item.spec['repository']),
                  state?.paused ? 'paused' : 'active',
                  formatInstant(lastFired),
                  state?.pauseReason ?? state?.lastSkip ?? '',
                ];
              }),
            ),
          );
        } else {
          cli.say(
            formatTable(
              ['NAME', 'GENERATION', 'APPLIED', 'LABELS'],
              items.map((item) => [
                item.name,
                String(item.generation),
                formatInstant(item.appliedAt),
                Object.entries(item.labels)
                  .map(([key, value]) => `${key}=${value}`)
                  .join(','),
              ]),
            ),
          );
        }
        cli.answer({ ...page, items });
      }),
    );
}
