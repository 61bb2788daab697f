/** Whether a restored bank holds exactly what was committed at a moment: the server's own commit times are the oracle. */
import { ScratchServer } from '@catena/sources';
import pg from 'pg';
import { MONEY } from './bank.ts';

/** What of the bank was committed at a moment. */
interface Held {
  readonly transfers: number;
  /** Over every transfer in order. */
  readonly digest: string | null;
}

export interface BankProof {
  /** The moment that was asked for, to the microsecond. */
  readonly moment: string;
  /** Committed by then, and in the living bank when it was looked at. */
  readonly committed: number;
  readonly byNow: number;
  /** Ways in which the copy differs from what was committed by then; empty is the proof. */
  readonly differences: readonly string[];
}

const HELD = `SELECT count(*)::int AS transfers, md5(string_agg(transfers::text, '' ORDER BY id)) AS digest FROM transfers`;
/** Rows whose commit time is no longer kept are old. */
const BY_THEN = `coalesce(pg_xact_commit_timestamp(xmin), '-infinity') <= $1::timestamptz`;
const WRONG_BALANCES = `
  SELECT count(*)::int AS wrong FROM accounts a WHERE balance <> $1
    + coalesce((SELECT sum(amount) FROM transfers WHERE payee = a.id), 0)
    - coalesce((SELECT sum(amount) FROM transfers WHERE payer = a.id), 0)`;

/** The time at the bank's server, to the microsecond. */
export async function momentOf(url: string): Promise<string> {
  return await asking({ connectionString: url }, async (one) => {
    const shape = `'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'`;
    const { at } = await one<{ at: string }>(
      `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', ${shape}) AS at`,
    );
    return at;
  });
}

/** Starts the restored copy and compares it with what the living bank says was committed at that moment. */
export async function proveBank(options: {
  readonly url: string;
  readonly moment: string;
  /** The restored data folder. */
  readonly restored: string;
  /** The server's programs. */
  readonly bin: string;
  readonly database: string;
  readonly moneyPerAccount: number;
  readonly signal: AbortSignal;
}): Promise<BankProof> {
  const { url, moment, restored, bin, database } = options;
  const [committed, byNow] = await asking({ connectionString: url }, async (one) => [
    await one<Held>(`${HELD} WHERE ${BY_THEN}`, [moment]),
    await one<Held>(HELD),
  ]);
  const server = await ScratchServer.start({ folder: restored, bin, signal: options.signal });
  try {
    const copy = { host: server.host, port: server.port, user: 'postgres', database };
    const differences = await asking(copy, async (one) => {
      const found = await one<Held>(HELD);
      const { money } = await one<{ money: string }>('SELECT sum(balance) AS money FROM accounts');
      const { wrong } = await one<{ wrong: number }>(WRONG_BALANCES, [options.moneyPerAccount]);
      return [
        ...(found.transfers === committed.transfers
          ? []
          : [`${found.transfers} transfers came back; ${committed.transfers} were committed by then`]),
        ...(found.digest === committed.digest ? [] : ['the transfers are not those that were committed']),
        ...(Number(money) === MONEY ? [] : [`the money became ${money}; it was ${MONEY}`]),
        ...(wrong === 0 ? [] : [`${wrong} balances are not what the transfers make of them`]),
      ];
    });
    return { moment, committed: committed.transfers, byNow: byNow.transfers, differences };
  } finally {
    await server.stop();
  }
}

/** Asks one server; every question has one row for an answer. */
async function asking<T>(
  to: pg.ClientConfig,
  work: (one: <R extends object>(text: string, values?: unknown[]) => Promise<R>) => Promise<T>,
): Promise<T> {
  const client = new pg.Client(to);
  await client.connect();
  try {
    return await work(async <R extends object>(text: string, values: unknown[] = []) => {
      const { rows } = await client.query<R>(text, values);
      const [row] = rows;
      if (row === undefined) throw new Error(`the server answered nothing to ${text}`);
      return row;
    });
  } finally {
    await client.end();
  }
}
