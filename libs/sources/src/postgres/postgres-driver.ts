/** Source driver for PostgreSQL clusters: everything over the wire, nothing on the server's machine. */
import type { DatabaseRestore } from '@catena/events';
import type { BackupReader, BackupWriter } from '@catena/vault';
import type {
  BackupOptions,
  BackupOutcome,
  LogDriver,
  RestoreOptions,
  RestoreOutcome,
  SourceDriver,
  SourceTotals,
} from '../port/source-driver.ts';
import { SourceError } from '../port/source-error.ts';
import { ClusterBackup } from './cluster/cluster-backup.ts';
import { timelineOf } from './cluster/fork.ts';
import { holdLog, letGo } from './log/held-log.ts';
import { HoldWatch } from './log/hold-watch.ts';
import { LogBackup } from './log/log-backup.ts';
import { addressOf, parsePostgresSpec, type PostgresSpec } from './postgres-spec.ts';
import { restoreCluster } from './restoring/restore-cluster.ts';
import { shownAddress } from './wire/address.ts';
import { BaseBackup } from './wire/base-backup.ts';
import { ReplicationConnection } from './wire/connection.ts';
import { identifySystem, readSettings } from './wire/system.ts';

/** Base backups carry a manifest since then. */
const OLDEST_MAJOR = 13;

class PostgresDriver implements SourceDriver {
  readonly name = 'postgres';
  readonly capabilities = { givesLogs: true, givesPast: false };

  async check(spec: unknown): Promise<void> {
    using connection = await this.#open(spec);
    refuseOld(connection);
  }

  async family(spec: unknown): Promise<string> {
    using connection = await this.#open(spec);
    return `postgres:${(await identifySystem(connection)).systemIdentifier}`;
  }

  /** The server looks at every file for it, and begins a backup that is not taken. */
  async estimate(spec: unknown, options: { signal?: AbortSignal } = {}): Promise<SourceTotals> {
    using connection = await this.#open(spec, options.signal);
    const { tablespaces } = await BaseBackup.begin(connection, {
      ...{ label: 'Catena looks how much there is', checkpoint: 'fast', includeWal: false },
      ...{ estimate: true, manifestChecksums: 'NONE', verifyChecksums: false },
    });
    const bytes = tablespaces.reduce((sum, { kilobytes }) => sum + (kilobytes ?? 0) * 1024, 0);
    return { files: tablespaces.length, bytes };
  }

  async backup(spec: unknown, writer: BackupWriter, options: BackupOptions = {}): Promise<BackupOutcome> {
    const parsed = parsePostgresSpec(spec);
    using connection = await this.#open(spec, options.signal);
    refuseOld(connection);
    const held = await this.#heldBefore(connection, parsed, options);
    const outcome = await new ClusterBackup(parsed, writer, options, connection).run();
    return withArchivePoint(outcome, held, options);
  }

  /** The slot that log backups need is there before the first data backup begins. */
  async #heldBefore(
    connection: ReplicationConnection,
    { log }: PostgresSpec,
    { collection, copyOnly }: BackupOptions,
  ): Promise<bigint | undefined> {
    if (log?.hold !== 'slot' || collection === undefined || copyOnly === true) return undefined;
    const settings = await readSettings(connection);
    return await holdLog(connection, settings, { collection, unbounded: log.unbounded });
  }

  restore(reader: BackupReader, target: string, options: RestoreOptions): Promise<RestoreOutcome> {
    return restoreCluster(reader, target, options);
  }

  async restoreParts(
    reader: BackupReader,
    parts: DatabaseRestore,
    options: RestoreOptions,
  ): Promise<RestoreOutcome> {
    // Seldom needed, and more than all the rest.
    const { restoreParts } = await import('./tables/restore-parts.ts');
    return await restoreParts(reader, parts, options);
  }

  readonly log: LogDriver = {
    backup: async (spec, writer, options) => {
      const parsed = parsePostgresSpec(spec);
      using connection = await this.#open(spec, options.signal);
      refuseOld(connection);
      const { log } = parsed;
      if (log?.hold !== 'slot' || options.copyOnly)
        return await new LogBackup(parsed, writer, options, connection).run();
      let isReading = false;
      const watch = new HoldWatch({
        collection: options.collection,
        start: BigInt(options.start),
        holdLimit: log.holdLimit,
        raise: (alarm) => {
          writer.warn({ path: Buffer.alloc(0), code: alarm.code, message: alarm.message });
          options.alarm?.(alarm);
        },
        endReading: () => isReading && connection.close(),
        open: () => this.#open(spec, options.signal),
      });
      try {
        await watch.lookBefore(connection);
        isReading = true;
        return await new LogBackup(parsed, writer, options, connection).run();
      } finally {
        watch.stop();
      }
    },
    release: async (spec, { collection, position, fork }) => {
      if (parsePostgresSpec(spec).log?.hold !== 'slot') return;
      using connection = await this.#open(spec);
      const timeline = fork === undefined ? (await identifySystem(connection)).timeline : timelineOf(fork);
      const settings = await readSettings(connection);
      await letGo(connection, settings, { collection, position: BigInt(position), timeline });
    },
  };

  async #open(spec: unknown, signal?: AbortSignal): Promise<ReplicationConnection> {
    return await ReplicationConnection.open(await addressOf(parsePostgresSpec(spec)), { signal });
  }
}

/**
 * Where logs may begin: where the slot held them from before the backup began, else where the backup begins. Later than
 * where the backup ends there would be a gap.
 */
function withArchivePoint(
  outcome: BackupOutcome,
  held: bigint | undefined,
  { copyOnly }: BackupOptions,
): BackupOutcome {
  const { position } = outcome.summary;
  if (position === undefined || copyOnly === true) return outcome;
  const archivePoint = held?.toString() ?? position.start ?? position.end;
  return { ...outcome, summary: { ...outcome.summary, position: { ...position, archivePoint } } };
}

function refuseOld(connection: ReplicationConnection): void {
  if (connection.majorVersion >= OLDEST_MAJOR) return;
  throw new SourceError(
    'source.notSupported',
    `The PostgreSQL server at ${shownAddress(connection.address)} is of version ${connection.serverVersion}; base backups carry a manifest since ${OLDEST_MAJOR}.`,
    { remedy: `Upgrade the server to ${OLDEST_MAJOR} or newer.` },
  );
}

/** Backs up and restores clusters of PostgreSQL 13 to 18. */
export const postgresDriver: SourceDriver = new PostgresDriver();
