import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { subcommand, type Act } from '../command-line.ts';

/** The version of this build, from its package. */
export function catenaVersion(): string {
  const own = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return own.version;
}

/** `catena version`. */
export function addVersion(program: Command, act: Act): void {
  subcommand(program, 'version', 'Shows the version', 'catena version --json').action(
    act((cli) => {
      cli.answer({ catena: catenaVersion(), node: process.versions.node });
      cli.say(`catena ${catenaVersion()} on node ${process.versions.node}`);
      return Promise.resolve();
    }),
  );
}
