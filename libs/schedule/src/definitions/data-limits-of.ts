import type { Specification } from '@catena/events';
import { bytesPerSecond } from './kinds/sharing.ts';
import { valueAt } from './rules/world.ts';

/** How hard one run may work. What is absent is not limited. */
export interface DataLimits {
  /** Bytes per second. */
  readonly read?: number;
  /** Bytes per second. */
  readonly write?: number;
  /** Cores. */
  readonly cpu?: number;
}

/** The lowest limits of those that the stored specs of a Source and a Repository name. */
export function dataLimitsOf(...specs: readonly Specification[]): DataLimits {
  const lowest = (field: keyof DataLimits, read: (value: unknown) => number | undefined) => {
    const named = specs
      .map((spec) => read(valueAt(spec, 'limits', field)))
      .filter((value) => value !== undefined);
    return named.length === 0 ? {} : { [field]: Math.min(...named) };
  };
  const count = (value: unknown) => (typeof value === 'number' ? value : undefined);
  return { ...lowest('read', bytesPerSecond), ...lowest('write', bytesPerSecond), ...lowest('cpu', count) };
}

/** The lowest limits of those that say `restores: true`: by default nothing slows a restore down (rule 4.7). */
export function restoreLimitsOf(...specs: readonly Specification[]): DataLimits {
  return dataLimitsOf(...specs.filter((spec) => valueAt(spec, 'limits', 'restores') === true));
}
