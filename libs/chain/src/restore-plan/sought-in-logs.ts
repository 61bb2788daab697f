import { CatenaError } from '@catena/events';
import { comparePositions, type Position } from '../position.ts';
import type { RestorableBackup, RestoreMark } from './restorable.ts';

/** A place that only the log itself knows: a name that somebody left in it, or the end of a transaction. */
export type SoughtTarget =
  /** `before`: stop just short of it; `after`: the first of that name at or after a time. */
  | { readonly kind: 'mark'; readonly mark: string; readonly before?: boolean; readonly after?: string }
  /** Decimal, of any width: what is above 32 bits is not in the log. */
  | { readonly kind: 'transaction'; readonly transaction: string };

/** Where it is: exactly, or somewhere in a stretch of log that is to be looked through. */
export type SoughtPlace =
  | { readonly kind: 'mark'; readonly mark: RestoreMark }
  | { readonly kind: 'stretch'; readonly from: Position; readonly to: Position };

/** Numbers of transactions in the log have 32 bits. */
const NUMBERS = 1n << 32n;

/** The logs that say that they hold it, and may. */
export function logsThatHold(
  logs: readonly RestorableBackup[],
  target: SoughtTarget,
): readonly RestorableBackup[] {
  if (target.kind === 'mark')
    return logs.filter((log) => log.marks?.some((mark) => isMeant(mark, target)) === true);
  const number = Number(BigInt(target.transaction) % NUMBERS);
  return logs.filter((log) => log.transactions?.some(([first, last]) => first <= number && number <= last));
}

/**
 * Where a mark or a transaction lies. A mark that a log lists is exact: the newest of its name, or the first after a time, unless
 * a later one of its name may be in a log that does not list all. Else it is looked for in every log that may hold it: of
 * transactions logs know ranges only, and some logs do not say what they hold, or not all of it.
 * @param logs those on the way to the fork that is meant
 * @throws CatenaError `chain.mark-unknown`, `chain.transaction-unknown` when every log says that it does not hold it.
 */
export function findSought(logs: readonly RestorableBackup[], target: SoughtTarget): SoughtPlace {
  const holding = logsThatHold(logs, target);
  if (target.kind === 'mark') {
    const marks = holding
      .flatMap((log) => log.marks ?? [])
      .filter((mark) => isMeant(mark, target))
      .sort((a, b) => comparePositions(a.position, b.position));
    const mark = target.after === undefined ? marks.at(-1) : marks[0];
    const isNewest = mark !== undefined && !logs.some((log) => mayHoldLater(log, mark));
    if (mark !== undefined && (isNewest || target.after !== undefined)) return { kind: 'mark', mark };
  }
  const saysNotAll = logs.filter((log) =>
    target.kind === 'mark' ? unlistedUntil(log) !== undefined : log.transactions === undefined,
  );
  const [first, ...others] = [...holding, ...saysNotAll];
  if (first === undefined) throw unknown(target);
  let [from, to] = [first.start ?? first.position, first.position];
  for (const { start = to, position } of others) {
    if (comparePositions(start, from) < 0) from = start;
    if (comparePositions(position, to) > 0) to = position;
  }
  return { kind: 'stretch', from, to };
}

/** What a person must know of logs that are looked through for a mark because they do not list all of theirs. */
export function notesOfUnlisted(logs: readonly RestorableBackup[]): string[] {
  return logs.flatMap(({ backup, marks = [], moreMarks }) =>
    moreMarks === undefined
      ? []
      : [
          `The log ${backup} holds ${moreMarks} more marks than the ${marks.length} that it lists: the restore looks through it.`,
        ],
  );
}

function mayHoldLater(log: RestorableBackup, mark: RestoreMark): boolean {
  const until = unlistedUntil(log);
  return until !== undefined && comparePositions(until, mark.position) > 0;
}

/** Up to where a log may hold marks that it does not list: the newest are listed. Undefined when it lists all. */
function unlistedUntil({ marks, moreMarks, position }: RestorableBackup): Position | undefined {
  if (marks === undefined) return position;
  return moreMarks === undefined ? undefined : (marks[0]?.position ?? position);
}

/** As a person reads it. */
export function soughtInWords(target: SoughtTarget): string {
  if (target.kind === 'transaction') return `transaction ${target.transaction}`;
  return `${target.before === true ? 'before ' : ''}mark ${target.mark}`;
}

function isMeant(mark: RestoreMark, { mark: name, after }: Extract<SoughtTarget, { kind: 'mark' }>): boolean {
  return mark.name === name && (after === undefined || mark.at >= after);
}

function unknown(target: SoughtTarget): CatenaError {
  const remedy =
    'If it is newer than the last log backup, back up the log first; else give a time or a position.';
  return target.kind === 'mark'
    ? new CatenaError('chain.mark-unknown', `No log that can be reached holds the mark "${target.mark}".`, {
        remedy,
      })
    : new CatenaError(
        'chain.transaction-unknown',
        `No log that can be reached holds the end of the transaction ${target.transaction}.`,
        { remedy },
      );
}
