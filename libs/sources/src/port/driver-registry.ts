import type { SourceDriver } from './source-driver.ts';
import { SourceError } from './source-error.ts';

/** The drivers a process knows, by the name that definitions use. */
export class DriverRegistry {
  readonly #drivers: ReadonlyMap<string, SourceDriver>;

  constructor(drivers: readonly SourceDriver[]) {
    this.#drivers = new Map(drivers.map((driver) => [driver.name, driver]));
  }

  get names(): string[] {
    return [...this.#drivers.keys()].sort();
  }

  /** Throws `source.driverUnknown`. */
  get(name: string): SourceDriver {
    const driver = this.#drivers.get(name);
    if (driver) return driver;
    throw new SourceError('source.driverUnknown', `There is no source driver '${name}'.`, {
      remedy: `Use one of: ${this.names.join(', ')}.`,
      details: { driver: name },
    });
  }
}
