/** What a table has no value for, a view leaves out. */
export type Present<Fields> = {
  [K in keyof Fields as null extends Fields[K] ? never : K]: Fields[K];
} & { [K in keyof Fields as null extends Fields[K] ? K : never]?: Exclude<Fields[K], null> };

/** Leaves out fields that are null. */
export function presentFields<Fields extends object>(fields: Fields): Present<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as Present<Fields>;
}
