/** BASE_BACKUP: a whole cluster, or what changed in it, as tar archives in one stream. */
import type { Command, Row } from './command.ts';
import type { ReplicationConnection } from './connection.ts';
import type { Inflow } from './inflow.ts';
import { parseLsn } from './lsn.ts';

export interface BaseBackupOptions {
  /** Shown in backup_label. */
  readonly label: string;
  /** `spread` lets the server take its time for the checkpoint at the start. */
  readonly checkpoint: 'fast' | 'spread';
  /** Whether the log from start to end comes with it. */
  readonly includeWal: boolean;
  /** Only what changed since the manifest that was uploaded on this connection (17 and newer). */
  readonly incremental?: boolean;
  /** Whether the server tells how much there is; it looks at every file for that. */
  readonly estimate?: boolean;
  readonly manifestChecksums: 'NONE' | 'CRC32C' | 'SHA224' | 'SHA256' | 'SHA384' | 'SHA512';
  /** Whether the server checks pages while it reads them. */
  readonly verifyChecksums: boolean;
  /** Kilobytes per second, 32 to 1048576. */
  readonly maxRate?: number;
}

export interface TablespacePlace {
  /** Undefined for the data directory itself. */
  readonly oid: string | undefined;
  readonly location: string;
  /** Kilobytes, if an estimate was asked for. */
  readonly kilobytes: number | undefined;
}

export type BaseBackupPart =
  | {
      readonly kind: 'archive';
      /** Undefined for the data directory itself, which comes last. */
      readonly tablespace: string | undefined;
    }
  /** Bytes of the archive, or of the manifest, that was announced last. Valid until the next part is asked for. */
  | { readonly kind: 'data'; readonly bytes: Buffer }
  | { readonly kind: 'manifest' };

/** Where a backup ended: it is consistent from there on. */
export interface BaseBackupEnd {
  readonly position: bigint;
  readonly timeline: number;
}

const NEW_SYNTAX_SINCE = 15;

export class BaseBackup {
  readonly start: { readonly position: bigint; readonly timeline: number };
  readonly tablespaces: readonly TablespacePlace[];
  readonly #connection: ReplicationConnection;
  readonly #command: Command;

  private constructor(connection: ReplicationConnection, command: Command) {
    const [start, tablespaces] = command.resultSets;
    this.#connection = connection;
    this.#command = command;
    this.start = positionOf(start?.[0]);
    this.tablespaces = (tablespaces ?? []).map((row) => ({
      oid: row['spcoid'] ?? undefined,
      location: row['spclocation'] ?? '',
      kilobytes: row['size'] == null ? undefined : Number(row['size']),
    }));
  }

  /** Resolves when the server has made its checkpoint and begins to send. */
  static async begin(connection: ReplicationConnection, options: BaseBackupOptions): Promise<BaseBackup> {
    const major = connection.majorVersion;
    const gathering = { joined: true, ...(major >= NEW_SYNTAX_SINCE ? { dataMark: DATA } : {}) };
    const command = connection.begin(baseBackupCommand(options, major), gathering);
    await connection.flowing(command);
    return new BaseBackup(connection, command);
  }

  /** Everything in the order the server sends it. To be read to its end before `end` is asked. */
  async *parts(): AsyncGenerator<BaseBackupPart, void, void> {
    const parts = this.#connection.majorVersion >= NEW_SYNTAX_SINCE ? taggedParts : separateParts;
    try {
      yield* parts(this.#command.inflow, this.tablespaces);
    } catch (error) {
      throw this.#connection.failureOf(error, this.#command);
    }
  }

  /** Where the server said it ended, which it says of a failed backup as well. */
  get reachedEnd(): BaseBackupEnd | undefined {
    const row = this.#command.resultSets[2]?.[0];
    return row === undefined ? undefined : positionOf(row);
  }

  /**
   * Rejects unless the server said that the whole command succeeded: data, manifest and end position come also from a
   * backup that failed.
   */
  async end(): Promise<BaseBackupEnd> {
    const { resultSets, tags } = await this.#connection.completed(this.#command);
    // Servers before 15 tag the command as the result set it ends with.
    if (tags.length === 0)
      throw this.#connection.failureOf(new Error('the backup ended without success'), this.#command);
    return positionOf(resultSets[2]?.[0]);
  }
}

function positionOf(row: Row | undefined): { position: bigint; timeline: number } {
  const position = row?.['recptr'];
  const timeline = row?.['tli'];
  if (typeof position !== 'string' || typeof timeline !== 'string')
    throw new Error('The server told no position of its backup.');
  return { position: parseLsn(position), timeline: Number(timeline) };
}

/** The command as a server of that major version wants it. */
export function baseBackupCommand(options: BaseBackupOptions, major: number): string {
  const {
    label,
    checkpoint,
    includeWal,
    incremental,
    estimate,
    manifestChecksums,
    verifyChecksums,
    maxRate,
  } = options;
  const text = `'${label.replaceAll("'", "''")}'`;
  if (major >= NEW_SYNTAX_SINCE) {
    const list = [
      `LABEL ${text}`,
      `CHECKPOINT '${checkpoint}'`,
      `PROGRESS ${estimate === true}`,
      `WAL ${includeWal}`,
      'WAIT false',
      `MANIFEST 'yes'`,
      `MANIFEST_CHECKSUMS '${manifestChecksums}'`,
      'TABLESPACE_MAP true',
      `VERIFY_CHECKSUMS ${verifyChecksums}`,
      ...(maxRate === undefined ? [] : [`MAX_RATE ${maxRate}`]),
      ...(incremental === true ? ['INCREMENTAL'] : []),
    ];
    return `BASE_BACKUP (${list.join(', ')})`;
  }
  const list = [
    `LABEL ${text}`,
    ...(estimate === true ? ['PROGRESS'] : []),
    ...(checkpoint === 'fast' ? ['FAST'] : []),
    ...(includeWal ? ['WAL'] : []),
    'NOWAIT',
    ...(maxRate === undefined ? [] : [`MAX_RATE ${maxRate}`]),
    'TABLESPACE_MAP',
    ...(verifyChecksums ? [] : ['NOVERIFY_CHECKSUMS']),
    `MANIFEST 'yes' MANIFEST_CHECKSUMS '${manifestChecksums}'`,
  ];
  return `BASE_BACKUP ${list.join(' ')}`;
}

const NEW_ARCHIVE = 0x6e;
const DATA = 0x64;
const MANIFEST = 0x6d;
const PROGRESS = 0x70;

/** 15 and newer: one stream, each message begins with a letter that says what it is. */
async function* taggedParts(inflow: Inflow): AsyncGenerator<BaseBackupPart, void, void> {
  for await (const arrival of inflow) {
    if (arrival.kind === 'data') yield arrival;
    if (arrival.kind !== 'message') continue;
    const { bytes } = arrival;
    switch (bytes[0]) {
      case NEW_ARCHIVE:
        yield { kind: 'archive', tablespace: tablespaceOf(bytes) };
        break;
      case MANIFEST:
        yield { kind: 'manifest' };
        break;
      case PROGRESS:
        break;
      default:
        throw new Error(
          `the server sent a message of an unknown kind (${bytes[0] ?? 'empty'}) in its backup`,
        );
    }
  }
}

/** The archive of a tablespace is named by its object id. */
function tablespaceOf(message: Buffer): string | undefined {
  const name = message.toString('utf8', 1, message.indexOf(0, 1));
  return /^(\d+)\.tar$/.exec(name)?.[1];
}

/** 13 and 14: one copy per tablespace in the order of the list, and the manifest as the last one. */
async function* separateParts(
  inflow: Inflow,
  tablespaces: readonly TablespacePlace[],
): AsyncGenerator<BaseBackupPart, void, void> {
  let number = 0;
  const announced = (): BaseBackupPart => {
    const tablespace = tablespaces[number];
    number += 1;
    return tablespace === undefined ? { kind: 'manifest' } : { kind: 'archive', tablespace: tablespace.oid };
  };
  yield announced();
  for await (const arrival of inflow) {
    if (arrival.kind === 'boundary') yield announced();
    else if (arrival.kind === 'data') yield arrival;
  }
}
