/** Injection tokens of what every service shares; the ports themselves are interfaces. */
export const EVENT_LOG = Symbol('EventLog');
export const JOB_QUEUE = Symbol('JobQueue');
export const MESSAGES = Symbol('Messages');
export const SNAPSHOTS = Symbol('Snapshots');
export const CONFIGURATION = Symbol('Configuration');
export const CLOCK = Symbol('Clock');
