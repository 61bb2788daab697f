/**
 * The number of a transaction that was prepared before it was committed or rolled back: the record that ends it is not the
 * transaction's own, and has the number behind lists of any length (xl_xact_commit and xl_xact_abort in access/xact.h,
 * PostgreSQL 13 to 18). They are passed over as they come; nothing of them is kept.
 */
import { DATA_BEHIND, PASSED } from './record-layout.ts';

const TIME_BYTES = 8;

const HAS_DATABASE = 1 << 0;
const DATABASE_BYTES = 8;
const HAS_SUBTRANSACTIONS = 1 << 1;
const HAS_FILES = 1 << 2;
const HAS_INVALIDATIONS = 1 << 3;
const HAS_NUMBER = 1 << 4;
const HAS_STATISTICS = 1 << 8;
/** The numbers of statistics became wider with 18. */
const WIDER_SINCE = 0xd118;

/** Bytes to pass over, or to take in as one number. */
type Wanted = { readonly pass: number } | { readonly take: 1 | 4 };

export class PreparedNumber {
  readonly #reading: Generator<Wanted, number | undefined, number>;
  readonly #bytes = Buffer.alloc(4);
  #wanted: IteratorResult<Wanted, number | undefined>;
  #done = 0;

  /** @param magic of the log's pages, which tells the version */
  constructor(magic: number) {
    this.#reading = readNumber(magic >= WIDER_SINCE ? 16 : 12);
    this.#wanted = this.#reading.next(0);
  }

  /** Undefined until it has come, and for a record that has none. */
  get value(): number | undefined {
    return this.#wanted.done === true ? this.#wanted.value : undefined;
  }

  /** Takes in what follows of the record, from the end of its first header on. */
  push(bytes: Buffer): void {
    for (let at = 0; at < bytes.length && this.#wanted.done !== true;) {
      const wanted = this.#wanted.value;
      const size = 'pass' in wanted ? wanted.pass : wanted.take;
      const length = Math.min(bytes.length - at, size - this.#done);
      if ('take' in wanted) bytes.copy(this.#bytes, this.#done, at, at + length);
      at += length;
      this.#done += length;
      if (this.#done === size) this.#goOn('take' in wanted ? this.#bytes.readUIntLE(0, wanted.take) : 0);
    }
  }

  /** What is empty is passed over at once. */
  #goOn(value: number): void {
    this.#done = 0;
    this.#wanted = this.#reading.next(value);
    while (this.#wanted.done !== true && 'pass' in this.#wanted.value && this.#wanted.value.pass === 0)
      this.#wanted = this.#reading.next(0);
  }
}

function* readNumber(statisticsBytes: number): Generator<Wanted, number | undefined, number> {
  for (;;) {
    const header = yield { take: 1 };
    const behind = DATA_BEHIND[header];
    const pass = behind ?? PASSED[header];
    if (pass === undefined) return undefined;
    yield { pass: pass - 1 };
    if (behind !== undefined) break;
  }
  yield { pass: TIME_BYTES };
  const has = yield { take: 4 };
  if ((has & HAS_DATABASE) !== 0) yield { pass: DATABASE_BYTES };
  const lists = [
    [HAS_SUBTRANSACTIONS, 4],
    [HAS_FILES, 12],
    [HAS_STATISTICS, statisticsBytes],
    [HAS_INVALIDATIONS, 16],
  ] as const;
  for (const [flag, each] of lists) if ((has & flag) !== 0) yield { pass: each * (yield { take: 4 }) };
  return (has & HAS_NUMBER) === 0 ? undefined : yield { take: 4 };
}
