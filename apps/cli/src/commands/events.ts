import { isEventType, type AnyRecordedEvent, type EventType } from '@catena/events';
import type { Command } from 'commander';
import { collect, subcommand, wholeNumber, type Act } from '../command-line.ts';
import { UsageError, type Invocation } from '../invocation.ts';
import { formatInstant } from '../presentation/quantities.ts';

function checkTypes(types: string[]): EventType[] {
  return types.map((type) => {
    if (!isEventType(type))
      throw new UsageError(`"${type}" is not an event type.`, 'The catalogue is docs/events.md.');
    return type;
  });
}

function show(cli: Invocation, event: AnyRecordedEvent): void {
  if (cli.json) process.stdout.write(`${JSON.stringify(event)}\n`);
  else
    cli.say(
      `${String(event.sequence).padStart(6)}  ${formatInstant(event.time)}  ${event.type}  ${event.aggregate.id}  by ${event.actor}`,
    );
}

/** `catena events`: the log itself, as it is or as it grows. */
export function addEvents(program: Command, act: Act): void {
  subcommand(
    program,
    'events',
    'Shows the event log',
    'catena events --last 20\ncatena events --follow\ncatena events --type run.completed --type run.failed --json',
  )
    .option('--follow', 'go on with what comes')
    .option('--from <sequence>', 'start here', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option('--last <n>', 'without --from: how many of the newest to show', wholeNumber(0, 1_000_000), 50)
    .option('--type <type>', 'only events of this type (may be given several times)', collect)
    .action(
      act(async (cli, options: { follow?: boolean; from?: number; last: number; type?: string[] }) => {
        const types = checkTypes(options.type ?? []);
        const { log } = await cli.connect();
        const filter = types.length > 0 ? { types } : {};
        const end = await log.lastSequence();
        const from = options.from ?? Math.max(1, end - options.last + 1);
        for await (const event of log.read({ from, to: end, signal: cli.signal, ...filter }))
          show(cli, event);
        if (!options.follow) return;
        for await (const batch of log.follow({
          from: Math.max(from, end + 1),
          signal: cli.signal,
          ...filter,
        })) {
          for (const event of batch.events) show(cli, event);
        }
      }),
    );
}
