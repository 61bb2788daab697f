import type { AnyRecordedEvent } from '@catena/events';
import type { ReadModel } from '../projectors/read-models.ts';
import type { Handler } from '../projectors/projector.ts';
import type { CopyFormat } from './copy-line.ts';
import { CopyLines } from './copy-lines.ts';

type Row = Readonly<Record<string, unknown>>;

/** One row as it is now, or that there is none. */
interface Entry {
  row: Row | undefined;
  validFrom: number;
  /** `none`: there is no row; `pending`: only here; `stored`: the table has it as the one that holds now. */
  open: 'none' | 'pending' | 'stored';
  /** Since it was last passed over when rows were forgotten. */
  used: boolean;
}

/** What a batch changed in one table, in the form it is written. */
export interface RowChanges {
  /** Lines for COPY; none when nothing is added. */
  readonly lines: readonly Buffer[];
  /** Ids of stored rows that no longer hold, with the sequence that ended each. */
  readonly closedIds: readonly string[];
  readonly closedAt: readonly number[];
}

/**
 * The current rows of one read model, the most recently touched of them, and what is to be written of them. A version
 * that begins and ends before it is written goes to the table in one piece, so bulk loading updates next to nothing.
 */
export class OpenRows {
  readonly model: ReadModel;
  readonly #format: CopyFormat;
  readonly #entries = new Map<string, Entry>();
  readonly #pending = new Set<Entry>();
  readonly #lines = new CopyLines();
  #closedIds: string[] = [];
  #closedAt: number[] = [];

  constructor(model: ReadModel, format: CopyFormat) {
    this.model = model;
    this.#format = format;
  }

  /** Bytes of the lines that are to be written. */
  get size(): number {
    return this.#lines.size;
  }

  has(id: string): boolean {
    return this.#entries.has(id);
  }

  /** Puts in what the table has; `row` undefined: it has nothing that holds now. */
  load(id: string, row: Row | undefined, validFrom: number): void {
    this.#entries.set(id, { row, validFrom, open: row === undefined ? 'none' : 'stored', used: true });
  }

  /** Applies one event to a row that is here. @throws CannotApplyError */
  apply(id: string, handler: Handler<Record<string, unknown>, never>, event: AnyRecordedEvent): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new Error(`The ${this.model.name} row "${id}" was not loaded.`);
    const next = handler.apply(entry.row, event as never);
    entry.used = true;
    if (next === entry.row) return;
    if (entry.open === 'stored') {
      this.#closedIds.push(id);
      this.#closedAt.push(event.sequence);
    } else if (entry.row !== undefined) {
      this.#line(entry.row, entry.validFrom, event.sequence);
    }
    entry.row = next;
    entry.validFrom = event.sequence;
    entry.open = next === undefined ? 'none' : 'pending';
    if (next === undefined) this.#pending.delete(entry);
    else this.#pending.add(entry);
  }

  /** Makes every pending row a line, because the batch ends here. */
  settle(): void {
    for (const entry of this.#pending) this.#settle(entry);
  }

  /**
   * Forgets rows until few enough are left, those first that were not used since rows were forgotten before; returns
   * their ids. What of them holds now becomes lines.
   */
  forgetBeyond(capacity: number): string[] {
    const forgotten: string[] = [];
    for (const [id, entry] of this.#entries) {
      if (this.#entries.size <= capacity) break;
      this.#entries.delete(id);
      if (entry.used) {
        // A second chance, at the end of the map, where this loop will come by again if it must.
        entry.used = false;
        this.#entries.set(id, entry);
      } else {
        this.#settle(entry);
        forgotten.push(id);
      }
    }
    return forgotten;
  }

  /** Takes what is to be written and starts anew. */
  takeChanges(): RowChanges {
    const changes = { lines: this.#lines.take(), closedIds: this.#closedIds, closedAt: this.#closedAt };
    this.#closedIds = [];
    this.#closedAt = [];
    return changes;
  }

  clear(): void {
    this.#entries.clear();
    this.#pending.clear();
    this.takeChanges();
  }

  #settle(entry: Entry): void {
    if (entry.open !== 'pending' || entry.row === undefined) return;
    this.#pending.delete(entry);
    this.#line(entry.row, entry.validFrom, null);
    entry.open = 'stored';
  }

  #line(row: Row, validFrom: number, validTo: number | null): void {
    this.#lines.push(this.#format.line(row, validFrom, validTo));
  }
}
