/** Tables of a cluster as they were, into a database that lives. */
import { createHash } from 'node:crypto';
import type { DatabaseRestore } from '@catena/events';
import type { RestoreOptions } from '../../port/source-driver.ts';
import { RestoreError } from '../../port/restore-error.ts';
import { collationWarnings } from './collations.ts';
import { findMissing, leaveOut, refuseMissing } from './missing-parts.ts';
import { namesThatCome, planReplacement, refuseOccupied, type Replacement } from './occupied-names.ts';
import { chooseRelations, listRelations, nameOf, shownName, type Relation } from './relations.ts';
import type { ScratchCopy } from './scratch-copy.ts';
import { attaching, detachSingleParts } from './single-parts.ts';
import { quoted, type SqlSession } from './sql-session.ts';
import { statisticsOf, type FutureStatistics } from './table-content.ts';
import { tablespacesMissing } from './tablespaces.ts';
import { shownTarget } from './target-server.ts';
import { transfer, type Transferred } from './transfer.ts';

export interface PartsRestored extends Transferred {
  readonly warnings: readonly PartsWarning[];
}

export interface PartsWarning {
  readonly code: string;
  readonly message: string;
}

const NOTHING_THERE: Replacement = { takeAway: [], putBack: [], warnings: [] };

/**
 * Everything is looked at before anything is changed: what is wanted, what has its names, what it needs. Tables that come
 * to another schema, or in place of others, are made in a schema of their own first, so that what is there is locked only
 * in the end.
 */
export async function restoreTables(
  scratch: ScratchCopy,
  database: string,
  copy: SqlSession,
  target: SqlSession,
  wanted: DatabaseRestore,
  options: Pick<RestoreOptions, 'run' | 'signal' | 'progress' | 'beforeVisible'>,
): Promise<PartsRestored> {
  const where = shownTarget(wanted.into);
  const inCopy = await listRelations(copy);
  const all = chooseRelations(inCopy, wanted.tables, `the database ${database}`);
  const parts = await detachSingleParts(copy, inCopy, all);
  const final = (one: { readonly schema: string }) => wanted.schema ?? one.schema;
  refuseSameNames(all, final);
  const missing = await findMissing(
    copy,
    target,
    all,
    new Set(wanted.schema === undefined ? [] : all.map(({ schema }) => schema)),
    wanted,
  );
  refuseMissing(missing, new Set(wanted.skipMissing), where);
  const { me } = await target.row<{ me: string }>('SELECT current_user AS me');
  const { chosen, leftOut } = await leaveOut(copy, all, missing, me);
  const names = (await namesThatCome(copy, chosen)).map((one) => ({ ...one, schema: final(one) }));
  const atTarget = chosen.map((one) => ({ ...one, schema: final(one) }));
  if (!wanted.replace) await refuseOccupied(target, names, where);
  const replaced = wanted.replace ? await planReplacement(target, atTarget, names, where) : NOTHING_THERE;
  const oids = chosen.map(({ oid }) => oid);
  const statistics = await statisticsOf(copy, oids);
  const warnings: PartsWarning[] = [
    ...leftOut.map((message) => ({ code: 'postgres.leftOut', message: `left out: ${message}` })),
    ...replaced.warnings.map((message) => ({ code: 'postgres.publicationLost', message })),
    ...(await collationWarnings(copy, target, oids)).map((message) => ({
      code: 'postgres.collationChanged',
      message,
    })),
    ...chosen
      .filter(({ isUnlogged }) => isUnlogged)
      .map((one) => ({
        code: 'postgres.unloggedEmpty',
        message: `${shownName(one)} is unlogged: its rows are in no backup, and it is empty`,
      })),
  ];
  const { missing: tablespaces, warnings: ofSpaces } = await tablespacesMissing(copy, target, oids);
  const isDirect = !wanted.replace && wanted.schema === undefined;
  const staging = isDirect ? undefined : new Staging(options.run, chosen, statistics);
  await staging?.moveInCopy(copy);
  const relations = staging?.relations ?? chosen;
  const moved = await transfer({
    ...{ copy, target, address: wanted.into, login: scratch.login(database), relations },
    definitions: {
      relations: relations.filter(({ ownedBy }) => ownedBy === null).map(nameOf),
      ...{ owners: wanted.owners, privileges: wanted.privileges, tablespaces: !tablespaces },
      signal: options.signal,
    },
    statistics: staging === undefined ? statistics : await statisticsOf(copy, oids),
    atTheBeginning: staging?.begin ?? [],
    atTheEnd: [
      ...replaced.takeAway,
      ...(staging?.end(final, await schemaMissing(target, wanted.schema)) ?? []),
      ...(wanted.schema === undefined ? parts.map(attaching) : []),
      ...replaced.putBack,
    ],
    ...{ beforeVisible: options.beforeVisible, progress: options.progress, signal: options.signal },
  });
  const tables = moved.tables.map(({ name, rows }) => ({
    name: staging?.finalName(name, final) ?? name,
    rows,
  }));
  return { ...moved, tables, warnings: [...warnings, ...ofSpaces] };
}

async function schemaMissing(target: SqlSession, schema: string | undefined): Promise<string | undefined> {
  if (schema === undefined) return undefined;
  const found = await target.rows('SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1', [schema]);
  return found.length === 0 ? schema : undefined;
}

/** Two schemas may have tables of one name; one schema cannot. */
function refuseSameNames(all: readonly Relation[], final: (one: Relation) => string): void {
  const seen = new Map<string, Relation>();
  for (const one of all) {
    const key = nameOf({ schema: final(one), name: one.name });
    const other = seen.get(key);
    if (other !== undefined)
      throw new RestoreError(
        'restore.targetExists',
        `${shownName(other)} and ${shownName(one)} cannot both be in the schema ${final(one)}.`,
        { remedy: 'Restore them one after another, to different schemas.' },
      );
    seen.set(key, one);
  }
}

/** Schemas that exist within the transaction only: one for each that things come from. */
class Staging {
  readonly relations: readonly Relation[];
  readonly #chosen: readonly Relation[];
  readonly #statistics: readonly FutureStatistics[];
  readonly #schemas: ReadonlyMap<string, string>;

  constructor(run: string, chosen: readonly Relation[], statistics: readonly FutureStatistics[]) {
    const label = createHash('sha256').update(run).digest('hex').slice(0, 12);
    const all = new Set([...chosen, ...statistics].map(({ schema }) => schema));
    this.#schemas = new Map([...all].map((schema, index) => [schema, `catena_${label}_${index}`]));
    this.#chosen = chosen;
    this.#statistics = statistics;
    this.relations = chosen.map((one) => ({ ...one, schema: this.#of(one) }));
  }

  /** In the copy, so that the definitions are written for it. */
  async moveInCopy(copy: SqlSession): Promise<void> {
    for (const staged of this.#schemas.values()) await copy.run(`CREATE SCHEMA ${quoted(staged)}`);
    for (const one of this.#top)
      await copy.run(`ALTER TABLE ${nameOf(one)} SET SCHEMA ${quoted(this.#of(one))}`);
    for (const one of this.#statistics)
      await copy.run(`ALTER STATISTICS ${nameOf(one)} SET SCHEMA ${quoted(this.#of(one))}`);
  }

  /** Owners of what is made there must be able to make it. */
  get begin(): string[] {
    return [...this.#schemas.values()].flatMap((staged) => [
      `CREATE SCHEMA ${quoted(staged)}`,
      `GRANT ALL ON SCHEMA ${quoted(staged)} TO PUBLIC`,
    ]);
  }

  /** Gives everything the place it is meant for. */
  end(final: (one: { readonly schema: string }) => string, newSchema: string | undefined): string[] {
    return [
      ...(newSchema === undefined ? [] : [`CREATE SCHEMA ${quoted(newSchema)}`]),
      ...this.#top.map(
        (one) => `ALTER TABLE ${nameOf({ ...one, schema: this.#of(one) })} SET SCHEMA ${quoted(final(one))}`,
      ),
      ...this.#statistics.map(
        (one) =>
          `ALTER STATISTICS ${nameOf({ ...one, schema: this.#of(one) })} SET SCHEMA ${quoted(final(one))}`,
      ),
      ...[...this.#schemas.values()].map((staged) => `DROP SCHEMA ${quoted(staged)}`),
    ];
  }

  /** The name in the end of what was called so while it was made. */
  finalName(shown: string, final: (one: { readonly schema: string }) => string): string {
    const one = this.#chosen.find((each) => shownName({ ...each, schema: this.#of(each) }) === shown);
    return one === undefined ? shown : shownName({ ...one, schema: final(one) });
  }

  /** Sequences of columns go where their tables go. */
  get #top(): Relation[] {
    return this.#chosen.filter(({ ownedBy }) => ownedBy === null);
  }

  #of({ schema }: { readonly schema: string }): string {
    return this.#schemas.get(schema) ?? schema;
  }
}
