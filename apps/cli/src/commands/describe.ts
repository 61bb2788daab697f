import { catalogRequests } from '@catena/events';
import type { Command } from 'commander';
import { askCurrent } from '../ask-current.ts';
import { stringify } from 'yaml';
import { subcommand, type Act } from '../command-line.ts';
import { formatBytes, formatInstant } from '../presentation/quantities.ts';
import { formatTable } from '../presentation/table.ts';
import { definitionsOf, kindOf } from './get.ts';

/** `catena describe`: one definition with what happened to it last. */
export function addDescribe(program: Command, act: Act): void {
  subcommand(
    program,
    'describe',
    'Shows one definition, its state and its last runs',
    'catena describe schedule nightly\ncatena describe source home',
  )
    .argument('<kind>', 'source, repository, schedule or subscription')
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
        const [runs, schedules] = await Promise.all([
          filter ? askCurrent(client, catalogRequests.listRuns, { ...filter, limit: 10 }) : undefined,
          kind === 'Schedule' ? askCurrent(client, catalogRequests.listSchedules, { name }) : undefined,
        ]);
        const state = schedules?.items[0];
        cli.answer({ definition, state, lastRuns: runs?.items ?? [] });
        cli.say(
          `${kind} ${definition.name}  (uid ${definition.uid}, generation ${definition.generation}, applied ${formatInstant(definition.appliedAt)})`,
        );
        if (state) {
          cli.say(
            `state: ${state.paused ? `paused${state.pauseReason ? `: ${state.pauseReason}` : ''}` : 'active'}`,
          );
          for (const [cadence, at] of Object.entries(state.lastFired))
            cli.say(`  ${cadence} last fired for ${formatInstant(at)}`);
          if (state.lastSkip) cli.say(`  last tick not run: ${state.lastSkip}`);
        }
        cli.say(`\n${stringify(definition.spec).trimEnd()}`);
        if (runs && runs.items.length > 0) {
          cli.say('\nlast runs:');
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
                  : run.plan?.kind === 'backup'
                    ? (run.plan.reason ?? run.plan.type)
                    : '',
              ]),
            ),
          );
        }
      }),
    );
}
