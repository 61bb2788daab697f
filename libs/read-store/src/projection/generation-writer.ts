import type { AnyRecordedEvent, EventType } from '@catena/events';
import type { DataSource, QueryRunner } from 'typeorm';
import type { Handler } from '../projectors/projector.ts';
import { readModels } from '../projectors/read-models.ts';
import { copyFormatOf, type CopyFormat } from './copy-line.ts';
import type { KeyFilter } from './key-filter.ts';
import { LogClock } from './log-clock.ts';
import { OpenRows } from './open-rows.ts';
import { latestLogTime, openRowsOf } from './stored-rows.ts';

type AnyHandler = Handler<Record<string, unknown>, never>;

/** One statement that writes a part of a batch: COPY with lines, or a query with parameters. */
export type Write =
  | { readonly statement: string; readonly lines: readonly Buffer[] }
  | { readonly statement: string; readonly parameters: unknown[] };

interface Table {
  readonly rows: OpenRows;
  readonly format: CopyFormat;
  readonly closing: string;
}

export interface GenerationWriterOptions {
  /** Current rows of each read model that stay in memory between batches. */
  readonly keptRows: number;
  /** For a generation that began empty: which rows may have been written and forgotten. */
  readonly forgotten?: KeyFilter;
}

/** The connection a writer reads by, and how what it must write first is written. */
export interface WriterSession {
  readonly runner: QueryRunner;
  send(writes: readonly Write[]): Promise<void>;
}

/**
 * Turns events into rows of one generation. It knows no position and no transaction: the caller begins one, has the
 * search path name the generation, and commits rows and position together.
 */
export class GenerationWriter {
  readonly #options: GenerationWriterOptions;
  readonly #tables: readonly Table[];
  readonly #routes = new Map<EventType, { table: Table; handler: AnyHandler }[]>();
  #clock: LogClock | undefined;

  constructor(dataSource: DataSource, options: GenerationWriterOptions) {
    this.#options = options;
    this.#tables = readModels.map((model) => {
      const metadata = dataSource.getMetadata(model.entity);
      const format = copyFormatOf(metadata);
      const id = metadata.findColumnWithPropertyName(model.key)?.databaseName;
      return {
        rows: new OpenRows(model, format),
        format,
        closing:
          `update "${model.name}" as held set valid_to = ended.at ` +
          `from unnest($1::text[], $2::bigint[]) as ended(id, at) where held."${id}" = ended.id and held.valid_to is null`,
      };
    });
    for (const table of this.#tables) {
      for (const [type, handler] of Object.entries(table.rows.model.projector.handlers)) {
        const routes = this.#routes.get(type as EventType) ?? [];
        this.#routes.set(type as EventType, [...routes, { table, handler: handler }]);
      }
    }
  }

  /** Reads what the events need and memory lacks, one query for each table. */
  async load(events: readonly AnyRecordedEvent[], session: WriterSession): Promise<void> {
    this.#clock ??= new LogClock(await latestLogTime(session.runner));
    for (const [table, ids] of this.#missing(events)) {
      // Rows that were forgotten may still be on their way to the table.
      await session.send(changesOf(table));
      const stored = await openRowsOf(session.runner, table.rows.model, ids);
      for (const id of ids) {
        const held = stored.get(id);
        table.rows.load(id, held?.row, held?.validFrom ?? 0);
      }
    }
  }

  /** Applies events whose rows are loaded; nothing is written yet. @throws CannotApplyError */
  apply(events: readonly AnyRecordedEvent[]): void {
    for (const event of events) {
      this.#clock?.see(event.sequence, event.recordedAt);
      for (const { table, handler } of this.#routes.get(event.type) ?? []) {
        const id = handler.key(event as never);
        if (id !== undefined) table.rows.apply(id, handler, event);
      }
    }
  }

  /** What brings the tables up to the last applied event. */
  takeAll(): Write[] {
    for (const { rows } of this.#tables) rows.settle();
    const writes = [...this.#tables.flatMap(changesOf), ...this.#timeChanges()];
    for (const { rows } of this.#tables) rows.forgetBeyond(this.#options.keptRows);
    return writes;
  }

  /**
   * What will not change any more, and what memory has no room for, of the tables that have enough of it to be worth a
   * statement. The tables are not up to the last event then.
   */
  takeFinished(worthBytes: number): Write[] {
    const writes: Write[] = [];
    for (const table of this.#tables) {
      const prefix = keyPrefix(table.rows);
      for (const id of table.rows.forgetBeyond(this.#options.keptRows))
        this.#options.forgotten?.add(prefix + id);
      if (table.rows.size >= worthBytes) writes.push(...changesOf(table));
    }
    if ((this.#clock?.size ?? 0) >= worthBytes) writes.push(...this.#timeChanges());
    return writes;
  }

  /** Forgets everything, because the transaction did not commit or somebody else wrote. */
  clear(): void {
    this.#clock = undefined;
    for (const { rows } of this.#tables) rows.clear();
  }

  #missing(events: readonly AnyRecordedEvent[]): Map<Table, Set<string>> {
    const { forgotten } = this.#options;
    const missing = new Map<Table, Set<string>>();
    for (const event of events) {
      for (const { table, handler } of this.#routes.get(event.type) ?? []) {
        const id = handler.key(event as never);
        if (id === undefined || table.rows.has(id)) continue;
        if (forgotten !== undefined && !forgotten.mayHave(keyPrefix(table.rows) + id)) {
          table.rows.load(id, undefined, 0);
          continue;
        }
        const ids = missing.get(table);
        if (ids === undefined) missing.set(table, new Set([id]));
        else ids.add(id);
      }
    }
    return missing;
  }

  #timeChanges(): Write[] {
    const lines = this.#clock?.takeLines() ?? [];
    return lines.length === 0 ? [] : [{ statement: LogClock.copyStatement, lines }];
  }
}

function changesOf({ rows, format, closing }: Table): Write[] {
  const { closedIds, closedAt, lines } = rows.takeChanges();
  const writes: Write[] = [];
  // Closed first: a table has at most one row of an id that holds now.
  if (closedIds.length > 0) writes.push({ statement: closing, parameters: [closedIds, closedAt] });
  if (lines.length > 0) writes.push({ statement: format.statement, lines });
  return writes;
}

function keyPrefix(rows: OpenRows): string {
  return `${rows.model.name}:`;
}
