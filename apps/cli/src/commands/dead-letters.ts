import type { DeadLetterKey } from '@catena/event-log';
import type { Command } from 'commander';
import { commandGroup, subcommand, type Act } from '../command-line.ts';
import { UsageError } from '../invocation.ts';
import { formatInstant, plural } from '../presentation/quantities.ts';
import { formatTable } from '../presentation/table.ts';

function keyOf(text: string): DeadLetterKey {
  const match = /^(.+):(\d+)$/.exec(text);
  if (!match?.[1])
    throw new UsageError(
      `"${text}" does not name a dead letter.`,
      'Write <subscriber>:<sequence>, as the list shows them.',
    );
  return { consumer: match[1], sequence: Number(match[2]) };
}

/** `catena dead-letters`: deliveries that failed for good, and what to do about them. */
export function addDeadLetters(program: Command, act: Act): void {
  const group = commandGroup(
    program,
    'dead-letters',
    'Lists, makes again or forgets deliveries that failed for good',
    'catena dead-letters list\ncatena dead-letters redeliver subscription-x2k4:118',
  );

  subcommand(
    group,
    'list',
    'Lists deliveries that failed for good, oldest first',
    'catena dead-letters list --json',
  ).action(
    act(async (cli) => {
      const { log } = await cli.connect();
      const letters = await log.deadLetters.list();
      cli.answer({ items: letters });
      cli.say(
        letters.length === 0
          ? 'Every delivery arrived.'
          : formatTable(
              ['SUBSCRIBER:SEQUENCE', 'EVENT', 'OF', 'GIVEN UP', 'TRIES', 'ERROR'],
              letters.map((letter) => [
                `${letter.consumer}:${letter.sequence}`,
                letter.event.type,
                letter.event.aggregate.id,
                formatInstant(letter.failedAt),
                String(letter.attempts),
                letter.error.message,
              ]),
            ),
      );
    }),
  );

  subcommand(
    group,
    'redeliver',
    'Makes deliveries again, with all their tries anew',
    'catena dead-letters redeliver subscription-x2k4:118',
  )
    .argument('<subscriber:sequence...>', 'as the list shows them')
    .action(
      act(async (cli, keys: string[]) => {
        const { log } = await cli.connectAsOperator();
        for (const key of keys) await log.deadLetters.redeliver(keyOf(key));
        cli.answer({ redelivered: keys });
        cli.say(`${plural(keys.length, 'event')} will be delivered again.`);
      }),
    );

  subcommand(
    group,
    'discard',
    'Forgets deliveries; the events stay in the log',
    'catena dead-letters discard subscription-x2k4:118',
  )
    .argument('<subscriber:sequence...>', 'as the list shows them')
    .action(
      act(async (cli, keys: string[]) => {
        const { log } = await cli.connectAsOperator();
        for (const key of keys) await log.deadLetters.discard(keyOf(key));
        cli.answer({ discarded: keys });
        cli.say(`${plural(keys.length, 'delivery', 'deliveries')} forgotten.`);
      }),
    );
}
