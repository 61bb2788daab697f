import type { ProgressMessage } from '@catena/events';

export type Phase = ProgressMessage['phase'];

/** How far an attempt is. Bytes and files count from its start. */
export interface ProgressState {
  readonly files: number;
  readonly bytes: number;
  readonly totalFiles?: number;
  readonly totalBytes?: number;
}

const WINDOW_MILLISECONDS = 5_000;

/** Before so much of the whole is done, what remains is a guess that nobody should see. */
const SHARE_FOR_AN_ESTIMATE = 0.01;

/** Turns what an executor says into what people see: a rate over the last seconds, and the time that remains. */
export class ProgressMeter {
  readonly #now: () => number;
  readonly #marks: { at: number; bytes: number }[] = [];
  #phase: Phase = 'scanning';
  #state: ProgressState = { files: 0, bytes: 0 };

  constructor(now: () => number) {
    this.#now = now;
    this.#marks.push({ at: now(), bytes: 0 });
  }

  enter(phase: Phase): void {
    this.#phase = phase;
  }

  update(state: ProgressState): void {
    this.#state = state;
    const at = this.#now();
    this.#marks.push({ at, bytes: state.bytes });
    while (this.#marks.length > 2 && at - (this.#marks[1]?.at ?? at) > WINDOW_MILLISECONDS)
      this.#marks.shift();
  }

  read(): Pick<ProgressMessage, 'phase' | 'bytesPerSecond' | 'secondsRemaining'> & ProgressState {
    const bytesPerSecond = this.#rate();
    const { totalBytes, bytes } = this.#state;
    const isEarly = totalBytes === undefined || bytes < totalBytes * SHARE_FOR_AN_ESTIMATE;
    const left = isEarly ? undefined : Math.max(0, totalBytes - bytes);
    return {
      phase: this.#phase,
      ...this.#state,
      bytesPerSecond,
      ...(left !== undefined && bytesPerSecond > 0
        ? { secondsRemaining: Math.ceil(left / bytesPerSecond) }
        : {}),
    };
  }

  #rate(): number {
    const first = this.#marks[0];
    if (first === undefined) return 0;
    const milliseconds = this.#now() - first.at;
    return milliseconds <= 0
      ? 0
      : Math.max(0, Math.round(((this.#state.bytes - first.bytes) * 1000) / milliseconds));
  }
}
