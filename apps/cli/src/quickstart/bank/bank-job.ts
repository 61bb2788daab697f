/** The second half of the quickstart: a database that is written to all the time, and a moment of it had back. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { catalogRequests, schedulerRequests, type ChainView } from '@catena/events';
import type { CatenaClient } from '@catena/client';
import type { AnotherPostgres } from '@catena/embedded';
import type { Invocation } from '../../invocation.ts';
import { drawChains } from '../../presentation/chain-drawing.ts';
import { recoveryWindowsOf } from '../../recovery-windows.ts';
import { RunsToFollow } from '../runs-to-follow.ts';
import { ACCOUNTS, MONEY, MONEY_PER_ACCOUNT, type Bank } from './bank.ts';
import { momentOf, proveBank, type BankProof } from './bank-proof.ts';
import { BANK } from './bank-server.ts';

const definitions = fileURLToPath(new URL('../../../../../examples/quickstart/bank', import.meta.url));

/** Transfers between two backups, and after the moment that is restored. */
const SOME = 40;

export interface BankResult extends BankProof {
  /** The data folder of the copy. */
  readonly restored: string;
  readonly chains: readonly ChainView[];
}

/** Protects the bank while its money moves, restores it to a moment, and compares with what was committed then. */
export async function showBankJob(
  cli: Invocation,
  client: CatenaClient,
  server: AnotherPostgres,
  bank: Bank,
): Promise<BankResult> {
  // Its user can enter this folder, wherever the home is.
  const restored = path.join(server.folder, 'restored');
  const runs = new RunsToFollow(cli, client, BANK);

  cli.say(`\n9. A database: a bank on a PostgreSQL server at ${server.host}:${server.port}`);
  await bank.some(SOME);
  cli.say(
    `  ${ACCOUNTS} accounts with ${MONEY} in all; money moves all the time (transfer ${bank.transfers})`,
  );

  cli.say('\n10. What to protect and when: examples/quickstart/bank');
  const applied = await runs.apply(definitions, (text) => text.replace('port: 5432', `port: ${server.port}`));
  await runs.resume();
  if (await runs.firstFull(BANK, applied))
    cli.say('  that was the first full; the schedule fired it by itself');
  else cli.say('  the chain of an earlier start goes on');

  cli.say('\n11. Money moves on, then an incremental: only the pages that changed since the backup before');
  await bank.some(SOME);
  await runs.cadence('incremental');

  cli.say('\n12. A moment to remember, more transfers after it, then a log backup');
  await bank.some(SOME);
  const moment = await momentOf(server.adminUrl);
  cli.say(`  ${moment}, at about transfer ${bank.transfers}`);
  await bank.some(SOME);
  await runs.cadence('log');

  cli.say(`\n13. The bank as it was at that moment, to ${restored}`);
  for (const folder of [restored, `${restored}.tablespaces`])
    await rm(folder, { recursive: true, force: true });
  const { run } = await client.ask(schedulerRequests.requestRestore, {
    ...cli.command(),
    ...{ repository: 'quickstart', source: BANK, until: { at: moment }, target: restored },
    ...{ include: [], overwrite: false },
  });
  await runs.follow(run);

  cli.say('\n14. Is it what was committed by then? The copy is started and asked');
  const proof = runs.allWentWell
    ? await proveBank({
        ...{ url: server.adminUrl, moment, restored, bin: server.bin, database: BANK },
        ...{ moneyPerAccount: MONEY_PER_ACCOUNT, signal: cli.signal },
      })
    : { moment, committed: 0, byNow: bank.transfers, differences: ['there was nothing to compare'] };
  for (const difference of proof.differences) cli.say(`  ${difference}`);
  if (proof.differences.length === 0)
    cli.say(
      `  ${proof.committed} transfers, exactly those committed by then (there are ${proof.byNow} now); the money is all there.`,
    );
  const { items: chains } = await client.ask(catalogRequests.listChains, {
    ...{ source: BANK, limit: 20 },
    atLeast: await client.log.lastSequence(),
  });
  const windows = await recoveryWindowsOf(client, { source: BANK });
  cli.say(`\n${drawChains(chains, windows)}`);
  return { ...proof, restored, chains };
}

/** The bank's server stops with the quickstart: what starts the platform without it must not ask for its log in vain. */
export async function letBankRest(cli: Invocation, client: CatenaClient): Promise<void> {
  await new RunsToFollow(cli, client, BANK).pause('the bank runs while the quickstart does');
}
