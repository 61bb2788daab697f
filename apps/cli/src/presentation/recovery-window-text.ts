import type { RecoveryWindowView } from '@catena/events';
import { stretchInHistory } from './place-in-history.ts';
import { formatBytes, formatInstant, plural } from './quantities.ts';

/** The windows of one collection as lines, oldest first: from when to when, the gaps between, and what is lost after the last. */
export function recoveryWindowLines(windows: readonly RecoveryWindowView[]): string[] {
  return windows
    .toSorted((a, b) => a.from.localeCompare(b.from))
    .flatMap((window) => [
      ...(window.gap === undefined ? [] : [gapText(window)]),
      windowText(window),
      ...(window.lost === undefined ? [] : [lossText(window)]),
    ]);
}

function windowText(window: RecoveryWindowView): string {
  const { from, to, logs, bytesAdded, fork, leftBranch } = window;
  const left = leftBranch === true ? `  a branch that was left: --branch ${fork}` : '';
  const stretch = stretchInHistory(window, window.fromPosition, window.toPosition);
  return `any moment from ${formatInstant(from)} to ${formatInstant(to)}  ${stretch}  ${plural(logs, 'log')}, +${formatBytes(bytesAdded)}${left}`;
}

/** What is missing before a window. */
export function gapText(window: RecoveryWindowView): string {
  const { from, gap } = window;
  if (gap === undefined) return '';
  const missing = stretchInHistory(window, gap.fromPosition, gap.toPosition);
  return `GAP: no moment between ${formatInstant(gap.from)} and ${formatInstant(from)}, but the backups themselves; no log of ${missing}`;
}

const REASONS: Readonly<Record<string, string>> = {
  slotLost: 'its slot was lost',
  recycled: 'the server had recycled it',
  loggingOff: 'logging was off',
};

/** What is lost after the last window. */
export function lossText(window: RecoveryWindowView): string {
  const { to, lost } = window;
  if (lost === undefined) return '';
  return `GAP: the log after ${formatInstant(to)} is gone (found out at ${formatInstant(lost.at)}: ${REASONS[lost.reason] ?? lost.reason}); the next data backup begins anew`;
}
