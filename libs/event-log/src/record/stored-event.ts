/** An event as the log stores it. Its hash is computed over subject, headers and data exactly as they stand here. */
export interface StoredEvent {
  readonly sequence: number;
  readonly subject: string;
  /** CloudEvents attributes and Catena's own headers; those of the transport are left out. */
  readonly headers: StoredHeaders;
  readonly data: Uint8Array;
  /** When the server stored it, ISO 8601. */
  readonly storedAt: string;
}

export type StoredHeaders = readonly (readonly [name: string, value: string])[];

/** Hash of the aggregate's event before; empty for the first. */
export const PREVIOUS_HEADER = 'Catena-Previous';

/** Time of storing in the log an event was imported from. Not part of the hash: it is not known when that is computed. */
export const RECORDED_AT_HEADER = 'Catena-Recorded-At';

/** Whether a header belongs to the event rather than to its transport. */
export function isEventHeader(name: string): boolean {
  return name.startsWith('ce-') || name === PREVIOUS_HEADER || name === RECORDED_AT_HEADER;
}
