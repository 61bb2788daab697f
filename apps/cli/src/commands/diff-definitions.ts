import { catalogRequests, schedulerRequests, type DefinitionView } from '@catena/events';
import { parseDefinitions, DefinitionsRefusedError } from '@catena/schedule';
import { stringify } from 'yaml';
import { askCurrent } from '../ask-current.ts';
import { folderToPrune, readDefinitionFiles } from '../definition-files.ts';
import type { Invocation } from '../invocation.ts';
import { gather } from '../pages.ts';
import { diffLines } from '../presentation/text-diff.ts';

/** What applying files would change, without doing it. */
export async function diffDefinitions(cli: Invocation, places: string[], pruning: boolean): Promise<void> {
  const prune = pruning ? await folderToPrune(places) : undefined;
  const files = await readDefinitionFiles(places, cli.home);
  const client = await cli.connect();
  const question = { ...cli.command(), files, dryRun: true, prune };
  const { results } = await client.ask(schedulerRequests.applyDefinitions, question);
  const there = await gather((after) =>
    askCurrent(client, catalogRequests.listDefinitions, { after, limit: 1000 }),
  );
  const defined = there.items.filter(({ deleted }) => !deleted);
  const parsed = parseDefinitions(files, defined, { references: 'mayBeAbsent' });
  if (!parsed.ok) throw new DefinitionsRefusedError(parsed.problems);
  const changes = results
    .filter(({ action }) => action !== 'unchanged')
    .map(({ kind, name, action }) => {
      const is = (one: { kind: string; name: string }) => one.kind === kind && one.name === name;
      const before = textOf(defined.find(is));
      const after = action === 'deleted' ? '' : textOf(parsed.definitions.find(is));
      return { kind, name, action, lines: diffLines(before, after) };
    });
  cli.answer({ changes });
  if (changes.length === 0) cli.say('Nothing would change.');
  for (const { kind, name, action, lines } of changes) {
    cli.say(`${kind} ${name}: would be ${action}`);
    for (const line of lines) cli.say(`  ${line}`);
  }
}

function textOf(definition: Pick<DefinitionView, 'labels' | 'spec'> | undefined): string {
  if (!definition) return '';
  const { labels, spec } = definition;
  return stringify(Object.keys(labels).length === 0 ? { spec } : { labels, spec }, {
    sortMapEntries: true,
  }).trimEnd();
}
