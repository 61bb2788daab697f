import type { Command } from 'commander';
import { instant, wholeNumber } from './command-line.ts';

/** What every listing of the catalog can be narrowed by. */
export interface ListOptions {
  source?: string;
  repository?: string;
  asOf?: string;
  limit: number;
}

export const MOST_ON_A_PAGE = 1000;

export function listOptions(command: Command, repository = '--repository <name>'): Command {
  return command
    .option('--source <name>', 'only of this source')
    .option(repository, 'only of this repository')
    .option('--as-of <time>', 'as the catalog stood then', instant)
    .option('--limit <n>', 'at most so many', wholeNumber(1, 100_000), 100);
}
