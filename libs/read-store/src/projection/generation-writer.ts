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
  | { readonly statement: string; readonly lines: string }
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

/**
 * Turns events into rows of one generation. It knows no position and no transaction: the caller begins one, has the
 * search path name the generation, and commits rows and position together.
 */
export class GenerationWriter {
  readonly #options: GenerationWriterOptions;
  readonly #tables: readonly Table[];
  readonly #routes = new Map<EventType, { rows: OpenRows; handler: AnyHandler }[]>();
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
    for (const { rows } of this.#tables) {
      for (const [type, handler] of Object.entries(rows.model.projector.handlers)) {
        const routes = this.#routes.get(type as EventType) ?? [];
        this.#routes.set(type as EventType, [...routes, { rows, handler: handler as AnyHandler }]);
      }
    }
  }

  /** Reads what the events need and memory lacks, one query for each table. `connection` is asked for only then. */
  async load(events: readonly AnyRecordedEvent[], connection: () => Promise<QueryRunner>): Promise<void> {
    this.#clock ??= new LogClock(await latestLogTime(await connection()));
    for (const [rows, ids] of this.#missing(events)) {
      const stored = await openRowsOf(await connection(), rows.model, ids);
      for (const id of ids) {
        const held = stored.get(id);
        rows.load(id, held?.row, held?.validFrom ?? 0);
      }
    }
  }

  /** Applies events whose rows are loaded; nothing is written yet. @throws CannotApplyError */
  apply(events: readonly AnyRecordedEvent[]): void {
    for (const event of events) {
      this.#clock?.see(event.sequence, event.recordedAt);
      for (const { rows, handler } of this.#routes.get(event.type) ?? []) {
        const id = handler.key(event as never);
        if (id !== undefined) rows.apply(id, handler, event);
      }
    }
  }

  /** What brings the tables up to the last applied event. */
  takeAll(): Write[] {
    for (const { rows } of this.#tables) rows.settle();
    const writes = this.#takeChanges();
    for (const { rows } of this.#tables) rows.forgetBeyond(this.#options.keptRows);
    return writes;
  }

  /** What will not change any more, and what memory has no room for. The tables are not up to the last event then. */
  takeFinished(): Write[] {
    for (const { rows } of this.#tables) {
      const prefix = keyPrefix(rows);
      for (const id of rows.forgetBeyond(this.#options.keptRows)) this.#options.forgotten?.add(prefix + id);
    }
    return this.#takeChanges();
  }

  /** Forgets everything, because the transaction did not commit or somebody else wrote. */
  clear(): void {
    this.#clock = undefined;
    for (const { rows } of this.#tables) rows.clear();
  }

  #missing(events: readonly AnyRecordedEvent[]): Map<OpenRows, Set<string>> {
    const { forgotten } = this.#options;
    const missing = new Map<OpenRows, Set<string>>();
    for (const event of events) {
      for (const { rows, handler } of this.#routes.get(event.type) ?? []) {
        const id = handler.key(event as never);
        if (id === undefined || rows.has(id)) continue;
        if (forgotten !== undefined && !forgotten.mayHave(keyPrefix(rows) + id)) {
          rows.load(id, undefined, 0);
          continue;
        }
        const ids = missing.get(rows);
        if (ids === undefined) missing.set(rows, new Set([id]));
        else ids.add(id);
      }
    }
    return missing;
  }

  #takeChanges(): Write[] {
    const writes: Write[] = [];
    for (const { rows, format, closing } of this.#tables) {
      const { closedIds, closedAt, lines } = rows.takeChanges();
      // Closed first: a table has at most one row of an id that holds now.
      if (closedIds.length > 0) writes.push({ statement: closing, parameters: [closedIds, closedAt] });
      if (lines !== '') writes.push({ statement: format.statement, lines });
    }
    const lines = this.#clock?.takeLines() ?? '';
    if (lines !== '') writes.push({ statement: LogClock.copyStatement, lines });
    return writes;
  }
}

function keyPrefix(rows: OpenRows): string {
  return `${rows.model.name}:`;
}
