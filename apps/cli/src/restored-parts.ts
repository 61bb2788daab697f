import { resolve } from 'node:path';
import type { DatabaseRestore, Skippable } from '@catena/events';
import type { Command } from 'commander';
import { collect } from './command-line.ts';
import { readDatabaseAddress, type PasswordPlace } from './database-address.ts';
import { UsageError } from './invocation.ts';

/** How a person says which tables, or which database, go where. */
export interface PartsOptions extends PasswordPlace {
  toDatabase?: string;
  database?: string;
  table?: string[];
  toSchema?: string;
  replace?: boolean;
  skipMissingForeignKeys?: boolean;
  skipMissingSequences?: boolean;
  skipMissingFunctions?: boolean;
  skipMissingViews?: boolean;
  skipMissingRoles?: boolean;
  owner: boolean;
  privileges: boolean;
  scratch?: string;
  superuser?: string;
  programs?: string;
}

/** Adds the options that put parts of a cluster into a server that lives. */
export function partsOptions(command: Command): Command {
  return command
    .optionsGroup('A database, or tables, of a PostgreSQL cluster into a server that lives:')
    .option(
      '--to-database <address>',
      'postgres://USER@HOST:PORT/DATABASE; without --table a new or an empty database',
    )
    .option('--to-password-file <file>', 'where the restoring machine finds the password for it')
    .option('--to-password-env <name>', 'the environment variable that has it there')
    .option('--database <name>', 'which database of the cluster; default the only one')
    .option(
      '--table <name>',
      'only this table, view or sequence: accounts, sales.accounts, "sales.*" (may be given several times)',
      collect,
    )
    .option('--to-schema <schema>', 'put tables into this schema, beside those that are there')
    .option('--replace', 'put them in the place of those that are there')
    .option('--skip-missing-foreign-keys', 'without foreign keys to tables that are not there')
    .option('--skip-missing-sequences', 'without defaults from sequences that are not there')
    .option(
      '--skip-missing-functions',
      'without triggers and defaults that call functions that are not there',
    )
    .option('--skip-missing-views', 'without views of what is not there')
    .option('--skip-missing-roles', 'what belongs to roles that are not there belongs to who restores')
    .option('--no-owner', 'everything belongs to who restores')
    .option('--no-privileges', 'without grants')
    .option(
      '--scratch <folder>',
      'room for a copy of the whole cluster, which is thrown away; default $TMPDIR',
    )
    .option('--programs <folder>', "server programs of the cluster's major version; found by default")
    .optionsGroup('Options:');
}

/**
 * The parts that were named, if any were.
 * @throws UsageError when they cannot be meant so.
 */
export function partsNamed(options: PartsOptions): DatabaseRestore | undefined {
  const { toDatabase, table = [], database, toSchema, scratch, programs, superuser } = options;
  if (toDatabase === undefined) {
    if (table.length > 0 || database !== undefined)
      throw new UsageError(
        'Tables and databases go into a server.',
        'Say which: --to-database postgres://USER@HOST:PORT/DATABASE.',
      );
    return undefined;
  }
  return {
    into: readDatabaseAddress(toDatabase, options),
    ...(database === undefined ? {} : { database }),
    tables: table,
    ...(toSchema === undefined ? {} : { schema: toSchema }),
    replace: options.replace ?? false,
    skipMissing: skipped(options),
    owners: options.owner,
    privileges: options.privileges,
    ...(scratch === undefined ? {} : { scratch: resolve(scratch) }),
    ...(superuser === undefined ? {} : { superuser }),
    ...(programs === undefined ? {} : { programs: resolve(programs) }),
  };
}

function skipped(options: PartsOptions): Skippable[] {
  const given: Record<Skippable, boolean | undefined> = {
    foreignKeys: options.skipMissingForeignKeys,
    sequences: options.skipMissingSequences,
    functions: options.skipMissingFunctions,
    views: options.skipMissingViews,
    roles: options.skipMissingRoles,
  };
  return (Object.keys(given) as Skippable[]).filter((each) => given[each] === true);
}

/** Options that choose or place files mean nothing beside parts. @throws UsageError which names one. */
export function refuseFilesBesideParts(
  parts: DatabaseRestore | undefined,
  others: Readonly<Record<string, unknown>>,
): void {
  if (parts === undefined) return;
  const [name] = Object.keys(others).filter((each) => others[each] !== undefined && others[each] !== false);
  if (name !== undefined)
    throw new UsageError(
      `${name} is about files, and --to-database about a server.`,
      'Leave out one of them.',
    );
}
