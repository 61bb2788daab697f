/** What is wanted of a cluster's backup when parts of it go into a server that lives. */
import { z } from 'zod';

/** What a restored thing may do without, when it is missing where it is restored to. */
export const skippable = z.enum(['foreignKeys', 'sequences', 'functions', 'views', 'roles']);
export type Skippable = z.infer<typeof skippable>;

/** A server and a database of it, without any secret: where the password is found by who connects. */
export const databaseAddress = z.object({
  host: z.string().min(1).describe('A name, an address, or the folder of a socket.'),
  port: z.number().int().min(1).max(65_535),
  user: z.string().min(1),
  database: z.string().min(1),
  tls: z.object({
    mode: z.enum(['disable', 'prefer', 'require', 'verify-ca', 'verify-full']),
    ca: z.string().optional().describe('File with the certificates of the authorities.'),
  }),
  password: z.union([z.object({ env: z.string() }), z.object({ file: z.string() })]).optional(),
});
export type DatabaseAddress = z.infer<typeof databaseAddress>;

export const databaseRestore = z.object({
  into: databaseAddress,
  database: z.string().optional().describe('Of the source; absent: the only one it has.'),
  tables: z.array(z.string()).describe('Names or patterns; empty: the whole database.'),
  schema: z.string().optional().describe('Where tables are put; absent: in the schema of each.'),
  replace: z.boolean().describe('Whether tables that have the names are replaced.'),
  skipMissing: z.array(skippable),
  owners: z.boolean().describe('False: everything belongs to who restores.'),
  privileges: z.boolean().describe('False: no grants are restored.'),
  scratch: z.string().optional().describe('Folder for the copy that is thrown away.'),
  superuser: z.string().optional().describe('Of the cluster; absent: postgres.'),
  programs: z
    .string()
    .optional()
    .describe('Folder of the server programs of the major version of the source.'),
});
export type DatabaseRestore = z.infer<typeof databaseRestore>;
