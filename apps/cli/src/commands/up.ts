import type { PlatformEvent } from '@catena/embedded';
import { InvalidArgumentError, type Command } from 'commander';
import { subcommand, type Act } from '../command-line.ts';
import type { Invocation } from '../invocation.ts';
import { followFolder } from '../watched-folder.ts';
import { startEverything, type Instances } from '../platform/start-everything.ts';

/** What a person wants to read of the servers' lives. */
export function describePlatformEvent(event: PlatformEvent): string {
  switch (event.type) {
    case 'progress':
      return `${event.part}: ${event.message}`;
    case 'child.started':
      return `${event.name} ${event.adopted ? 'was running and is taken over' : 'runs'} (pid ${event.pid})`;
    case 'child.ails':
      return `${event.name} is not well: ${event.reason}${event.restarting ? '; starting it anew' : ''}`;
    case 'child.recovered':
      return `${event.name} is well again`;
    case 'child.died':
      return `${event.name} died (${event.exit}); starting it again in ${event.restartInMs} ms`;
    case 'child.restarted':
      return `${event.name} runs again (pid ${event.pid})`;
    case 'child.restart-failed':
      return `${event.name} does not start: ${event.reason}; next try in ${event.retryInMs} ms`;
    case 'child.stopped':
      return `${event.name} stopped`;
  }
}

/** Resolves when the person or the system wants the process to end. */
export function untilInterrupted(cli: Invocation): Promise<void> {
  if (cli.signal.aborted) return Promise.resolve();
  return new Promise((resolve) => cli.signal.addEventListener('abort', () => resolve(), { once: true }));
}

function parseInstances(text: string, before: Instances): Instances {
  const match = /^(chain-catalog|scheduler|mover)=([1-9])$/.exec(text);
  if (!match)
    throw new InvalidArgumentError('Expected chain-catalog=N, scheduler=N or mover=N with N from 1 to 9.');
  return { ...before, [match[1] as keyof Instances]: Number(match[2]) };
}

/** `catena up`: the whole platform of one machine, in the foreground. */
export function addUp(program: Command, act: Act): void {
  subcommand(
    program,
    'up',
    'Starts the platform of this data folder and keeps it running until Ctrl-C',
    'catena up\ncatena up --home /var/lib/catena --instances mover=2',
  )
    .option('--definitions <folder>', 'keep the definitions as this folder has them, also when it changes')
    .option(
      '--instances <service=n>',
      'run several processes of a service (may be given several times)',
      parseInstances,
      {},
    )
    .action(
      act(async (cli, options: { instances: Instances; definitions?: string }) => {
        const platform = await startEverything({
          home: cli.home,
          instances: options.instances,
          onEvent: (event) => cli.say(describePlatformEvent(event)),
        });
        cli.answer({ home: platform.home, nats: platform.endpoints.nats.url, ready: true });
        cli.say(
          `Ready. The data is in ${platform.home}, the logs are in ${platform.layout.logs}. Ctrl-C stops everything.`,
        );
        if (options.definitions === undefined) await untilInterrupted(cli);
        else await followFolder(cli, options.definitions);
        cli.say('Stopping …');
        await platform.stop();
        cli.exit(0);
      }),
    );
}
