import type { ClusterRestore } from '@catena/events';
import type { RestoredCluster } from '@catena/sources';
import { InvalidArgumentError, type Command } from 'commander';
import path from 'node:path';
import { UsageError, type Invocation } from './invocation.ts';

/** What a person says of a restored database cluster. */
export interface ClusterOptions {
  tablespace?: { from: string; to: string }[];
  start?: boolean;
  try?: boolean;
  port?: number;
  /** Named for restored parts as well. */
  programs?: string;
  superuser?: string;
  /** Then the copy is one that is thrown away. */
  toDatabase?: string;
  delta?: boolean;
}

/** Adds the options for database clusters. */
export function clusterOptions(command: Command): Command {
  return command
    .option(
      '--start',
      'of a database cluster: starts it, compares what it reached with what was planned, and leaves it running',
    )
    .option('--try', 'the same, and stops it again; the copy can then be started by anybody')
    .option('--port <number>', 'with --start: listens there on localhost; else it has a socket alone', portOf)
    .option(
      '--superuser <role>',
      'with --start, --try or --to-database: the superuser of the cluster; default postgres',
    )
    .option(
      '--tablespace <old=new>',
      'puts a tablespace elsewhere: its place at the source or its number, and a folder (may be given several times)',
      mapping,
    )
    .option(
      '--delta',
      'over a data folder of the same cluster that is stopped: rewrites what differs, removes what is not in the backup',
    );
}

/** What was said of the cluster, for a request or a driver; nothing when nothing was. */
export function clusterAsked(options: ClusterOptions): {
  delta?: boolean;
  cluster?: ClusterRestore;
} {
  const { tablespace: tablespaces, port, programs, superuser, toDatabase, delta } = options;
  if (options.start === true && options.try === true)
    throw new UsageError('--start leaves the copy running, --try does not: name one of them.');
  const start = options.start === true ? 'leaveRunning' : options.try === true ? 'stopAgain' : undefined;
  if (port !== undefined && start !== 'leaveRunning') throw new UsageError('--port goes with --start.');
  if (start === undefined && toDatabase === undefined && superuser !== undefined)
    throw new UsageError('--superuser goes with --start, --try or --to-database.');
  const cluster: ClusterRestore = {
    ...(tablespaces === undefined ? {} : { tablespaces }),
    ...(start === undefined ? {} : { start }),
    ...(port === undefined ? {} : { port }),
    ...(programs === undefined || start === undefined ? {} : { programs: path.resolve(programs) }),
    ...(superuser === undefined || start === undefined ? {} : { superuser }),
  };
  return {
    ...(delta === undefined ? {} : { delta }),
    ...(Object.keys(cluster).length === 0 ? {} : { cluster }),
  };
}

/** Tells a person where the cluster stands. */
export function sayCluster(cli: Invocation, target: string, restored: RestoredCluster | undefined): void {
  if (restored === undefined) return;
  const { planned, reached, settingsNotInForce, server } = restored;
  if (reached !== undefined) {
    const { position, lastTransactionAt, timeline, serverVersion, databases } = reached;
    const last = lastTransactionAt === undefined ? '' : `, the last transaction of ${lastTransactionAt}`;
    cli.say(
      `It was started with PostgreSQL ${serverVersion} and reached ${position}${last}${planned === undefined ? '' : ', as planned'}; it goes on as timeline ${timeline}. Databases: ${databases.join(', ')}.`,
    );
  } else if (planned !== undefined) cli.say(`When it is started it recovers to ${planned}.`);
  if (settingsNotInForce.length > 0)
    cli.say(
      `Settings of the source that do not act in the copy (they are in ${path.join(target, 'postgresql*.conf.source')}): ${settingsNotInForce.join(', ')}.`,
    );
  if (server === undefined) return;
  cli.say(
    `It runs as process ${server.pid}: host ${server.host}, port ${server.port}, as the account that owns the folder. What it says is in ${server.log}.`,
  );
  cli.say(`To stop it: kill -INT ${server.pid}`);
}

function mapping(text: string, earlier: { from: string; to: string }[] = []): { from: string; to: string }[] {
  // As pg_basebackup takes it: a path may have an escaped "=".
  const match = /^((?:\\.|[^\\=])+)=((?:\\.|[^\\=])+)$/.exec(text);
  if (match === null)
    throw new InvalidArgumentError('It is OLD=NEW: where it lies at the source, and where it goes.');
  const [from = '', to = ''] = [match[1], match[2]].map((part) => part?.replace(/\\(.)/g, '$1'));
  return [...earlier, { from, to: path.resolve(to) }];
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError('A port is a number from 1 to 65535.');
}
