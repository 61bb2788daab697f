import { describeError } from '@catena/events';
import { homeLayout, readHolder } from '@catena/embedded';
import type { Command } from 'commander';
import { subcommand, type Act } from '../command-line.ts';
import { checkDefinitions } from '../doctor/check-definitions.ts';
import { checkMachine } from '../doctor/check-machine.ts';
import { checkKeys, checkPlatform } from '../doctor/check-platform.ts';
import { ok, problem, warning, type Finding } from '../doctor/finding.ts';
import { ExitCode } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';
import { plural } from '../presentation/quantities.ts';

const signs: Record<Finding['level'], string> = { ok: 'ok     ', warning: 'WARNING', problem: 'PROBLEM' };

async function checkServices(cli: Invocation): Promise<Finding[]> {
  const holder = readHolder(homeLayout(cli.home));
  const running = holder
    ? ok('platform', `runs as pid ${holder.pid} since ${holder.since}`)
    : warning('platform', `Nobody runs the data folder ${cli.home}.`, 'Start it with "catena up".');
  try {
    const client = await cli.connect();
    return [
      running,
      ...(await checkPlatform(client, cli.home, Date.now())),
      ...(await checkKeys(client)),
      ...(await checkDefinitions(client)),
    ];
  } catch (error) {
    const { message, remedy } = describeError(error);
    // Without a holder the one finding says it all.
    return holder
      ? [running, problem('services', message, remedy ?? 'Look into the logs of the data folder.')]
      : [running];
  }
}

/** `catena doctor`: what is wrong with a set-up and how to mend it. */
export function addDoctor(program: Command, act: Act): void {
  subcommand(
    program,
    'doctor',
    'Says what is wrong with this set-up and how to mend it; 7 when something is',
    'catena doctor\ncatena doctor --home /var/lib/catena --json',
  ).action(
    act(async (cli) => {
      const findings = [...(await checkMachine(cli.home)), ...(await checkServices(cli))];
      cli.answer({ findings });
      for (const finding of findings) {
        cli.say(`${signs[finding.level]}  ${finding.check}: ${finding.message}`);
        if (finding.remedy) cli.say(`         → ${finding.remedy}`);
      }
      const count = (level: Finding['level']) => findings.filter((finding) => finding.level === level).length;
      const [problems, warnings] = [count('problem'), count('warning')];
      const counted = [plural(problems, 'problem'), plural(warnings, 'warning')].join(', ');
      cli.say(problems + warnings === 0 ? '\nNothing is wrong.' : `\n${counted}.`);
      cli.exit(problems === 0 ? ExitCode.done : ExitCode.damageFound);
    }),
  );
}
