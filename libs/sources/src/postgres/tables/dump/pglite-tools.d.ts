/**
 * The part that is used of the package. Its own declarations bring those of a whole database engine with them, of which
 * `pgDump` calls only what is named here.
 */
declare module '@electric-sql/pglite-tools/pg_dump' {
  export interface DumpedServer {
    /** Sends bytes of the wire protocol, and has given the answer to `onRawData` when it returns. */
    execProtocolRawStream(bytes: Uint8Array, options: { onRawData: (bytes: Uint8Array) => void }): void;
    query(text: string): Promise<{ rows: { search_path: string }[] }>;
    exec(text: string): Promise<unknown>;
  }

  /** @throws Error with what `pg_dump` said on its standard error. */
  export function pgDump(options: { pg: DumpedServer; args: readonly string[] }): Promise<File>;
}
