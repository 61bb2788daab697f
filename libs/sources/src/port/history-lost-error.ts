import { CatenaError } from '@catena/events';

/** Why a source no longer has the history since the last backup; the words of events. */
export type HistoryLost = 'slotLost' | 'recycled' | 'loggingOff';

/** The source has no longer what a backup builds on: a gap, never a silent jump (rules.md section 1 and 1.7). */
export class HistoryLostError extends CatenaError {
  readonly lost: HistoryLost;

  constructor(lost: HistoryLost, message: string, remedy: string) {
    super('source.history-lost', message, { remedy });
    this.lost = lost;
  }
}
