/** Injection token of the drivers that this mover has. */
export const SOURCE_DRIVERS = Symbol('SourceDrivers');
