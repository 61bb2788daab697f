import { CatenaError } from '@catena/events';
import { checkChain, type ChainCheck } from './check-chain.ts';
import { databasesOf, type DatabaseHistory } from './database-history.ts';
import { planDatabase, type HistoryPlan, type HistoryPlanOptions } from './plan-database.ts';
import { readHistory } from './read-history.ts';

/** The answer of `catena plan --msdb-history`: one plan for each database of the file. */
export interface HistoryPlans {
  readonly plans: readonly HistoryPlan[];
}

/** The answer of `catena plan --msdb-history --check`. */
export interface HistoryChecks {
  readonly checks: readonly ChainCheck[];
}

/**
 * Plans restores from a recorded SQL Server history.
 * @param text a JSON array of rows with msdb's own column names.
 * @param options `database` without case; every database when it is left out.
 * @throws CatenaError of `readHistory`, `history.time-unreadable`, `history.database-unknown`, `history.options-conflict`.
 */
export function planHistory(
  text: string,
  options: HistoryPlanOptions & { readonly database?: string | undefined } = {},
): HistoryPlans {
  if (options.at !== undefined && options.position !== undefined) {
    throw new CatenaError('history.options-conflict', 'A plan has one target: a time or a position.', {
      remedy: 'Leave out one of the two.',
    });
  }
  for (const position of [options.position, options.fromPosition]) {
    if (position !== undefined && !/^\d+$/.test(position)) {
      throw new CatenaError('history.position-unreadable', `"${position}" is not a position.`, {
        remedy: 'Give the LSN as the decimal integer that msdb has.',
      });
    }
  }
  const { sets, notes } = readHistory(text);
  const plans = selected(databasesOf(sets), options.database).map((one) => planDatabase(one, options));
  return { plans: plans.map((plan) => ({ ...plan, notes: [...notes, ...plan.notes] })) };
}

/**
 * Validates the file's sets as one chain for each database; their order does not matter.
 * @throws CatenaError of `readHistory`, `history.database-unknown`.
 */
export function checkHistory(
  text: string,
  options: { readonly database?: string | undefined } = {},
): HistoryChecks {
  return { checks: selected(databasesOf(readHistory(text).sets), options.database).map(checkChain) };
}

function selected(
  databases: readonly DatabaseHistory[],
  name: string | undefined,
): readonly DatabaseHistory[] {
  if (name === undefined) return databases;
  const wanted = name.toLowerCase();
  const found = databases.filter((one) => one.database.toLowerCase() === wanted);
  if (found.length > 0) return found;
  const known = [...new Set(databases.map((one) => one.database))].slice(0, 10).join(', ');
  throw new CatenaError('history.database-unknown', `The history has no database "${name}".`, {
    remedy: `It has: ${known || 'none'}.`,
  });
}
