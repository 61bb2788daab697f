/** Notices the tablespaces that the log creates which comes with a data backup: those that its own list of tablespaces lacks. */
import { detailOfTablespaces } from '@catena/events';
import { parseSegmentName } from '../wire/lsn.ts';
import { LOG_FOLDER } from './log-files.ts';
import { madeText } from './log-summary.ts';
import type { MadeTablespace } from './record-listener.ts';
import { RecordWalk } from './record-walk.ts';

const SEGMENT_PATH = new RegExp(`^${LOG_FOLDER}/([0-9A-F]{24})$`);

export class TablespaceWatch {
  readonly #from: bigint;
  readonly #segmentSize: bigint;
  readonly #made: MadeTablespace[] = [];
  #walk: RecordWalk | undefined;
  #timeline: number | undefined;

  /** @param from where the recovery of the backup begins */
  constructor(from: bigint, segmentSize: bigint) {
    this.#from = from;
    this.#segmentSize = segmentSize;
  }

  /** What the details of the backup say of them. */
  get detail(): Record<string, string> {
    return detailOfTablespaces(this.#made.filter(({ path }) => path !== '').map(madeText));
  }

  /** The content of a file, looked through on its way if it is a segment of the log. Segments come in order. */
  passing(path: string, pieces: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    const name = SEGMENT_PATH.exec(path)?.[1];
    return name === undefined ? pieces : this.#looking(name, pieces);
  }

  async *#looking(name: string, pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
    const { timeline, start } = parseSegmentName(name, this.#segmentSize);
    if (this.#walk === undefined || this.#timeline !== timeline || this.#walk.position !== start) {
      this.#timeline = timeline;
      this.#walk = new RecordWalk(start, this.#segmentSize, { tablespace: (made) => this.#take(made) });
    }
    const walk = this.#walk;
    for await (const piece of pieces) {
      walk.push(piece);
      yield piece;
    }
  }

  #take(made: MadeTablespace): void {
    const isKnown = this.#made.some(({ start }) => start === made.start);
    if (made.start >= this.#from && !isKnown) this.#made.push(made);
  }
}
