import { catalogRequests, schedulerRequests, waitingText } from '@catena/events';
import type { Command } from 'commander';
import { askCurrent } from '../ask-current.ts';
import { subcommand, type Act } from '../command-line.ts';
import { formatBytes, formatInstant } from '../presentation/quantities.ts';
import { formatTable } from '../presentation/table.ts';
import { definitionsOf, kindOf, yamlOf } from './get.ts';
import { sayDescription } from './schedule-status.ts';

/** `catena describe`: one definition with what happened to it last. */
export function addDescribe(program: Command, act: Act): void {
  subcommand(
    program,
    'describe',
    'Shows one definition, its state and its last runs',
    'catena describe schedule nightly\ncatena describe source home',
  )
    .argument('<kind>', 'source, repository, schedule, subscription or limits')
    .argument('<name>', 'its name')
    .action(
      act(async (cli, word: string, name: string) => {
        const kind = kindOf(word);
        const client = await cli.connect();
        const [definition] = (await definitionsOf(client, kind, { name })).items;
        if (!definition) return;
        const filter =
          kind === 'Schedule'
            ? { schedule: name }
            : kind === 'Source'
              ? { source: name }
              : kind === 'Repository'
                ? { repository: name }
                : undefined;
        const [runs, schedule] = await Promise.all([
          filter ? askCurrent(client, catalogRequests.listRuns, { ...filter, limit: 10 }) : undefined,
          kind === 'Schedule' ? client.ask(schedulerRequests.describeSchedule, { name }) : undefined,
        ]);
        cli.answer({ definition, schedule, lastRuns: runs?.items ?? [] });
        if (schedule) sayDescription(cli, name, schedule);
        else {
          cli.say(
            `${kind} ${definition.name}  (uid ${definition.uid}, generation ${definition.generation}, applied ${formatInstant(definition.appliedAt)})`,
          );
          cli.say(`\nDefinition, to be applied again:\n${yamlOf(definition).trimEnd()}`);
        }
        if (runs && runs.items.length > 0) {
          cli.say('\nLast runs:');
          cli.say(
            formatTable(
              ['RUN', 'KIND', 'STATE', 'REQUESTED', 'WRITTEN', 'NOTE'],
              runs.items.map((run) => [
                run.run,
                run.kind,
                run.state,
                formatInstant(run.requestedAt),
                run.statistics ? formatBytes(run.statistics.bytesAdded) : '-',
                run.failure
                  ? `${run.failure.code}: ${run.failure.message}`
                  : run.waiting
                    ? waitingText(run.waiting)
                    : run.plan?.kind === 'backup'
                      ? (run.plan.reason ?? run.plan.type)
                      : run.plan?.kind === 'compose'
                        ? `full, composed from ${run.plan.from}`
                        : '',
              ]),
            ),
          );
        }
      }),
    );
}
