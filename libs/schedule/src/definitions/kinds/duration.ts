import { DURATION, durationOf } from '../../calendar/duration.ts';
import { text } from '../shape/building-blocks.ts';

/** A length of time as people write it. */
export const duration = text(DURATION).refine((given) => durationOf(given) !== undefined, {
  error: DURATION,
});
