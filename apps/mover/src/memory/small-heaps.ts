import { setFlagsFromString } from 'node:v8';

/** MiB of young objects that a thread keeps twice. */
const YOUNG_MIB = 1;
/** How much may be added to what is in use before garbage is collected; the engine would take up to three times as much. */
const GROWING_PERCENT = 100;

/**
 * Keeps the heaps of the process small, and of threads that are started from now on: they live on buffers, and what they
 * make beside lives for moments. By flags, since what the process was started with goes before the limits that a thread is
 * given.
 */
export function keepHeapsSmall(): void {
  setFlagsFromString(`--max-semi-space-size=${YOUNG_MIB}`);
  setFlagsFromString(`--heap-growing-percent=${GROWING_PERCENT}`);
}
