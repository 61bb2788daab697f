import { z } from 'zod';
import { position } from './vocabulary.ts';

/** A tablespace that a log creates: who replays it makes it at the very path it had at the source. */
const tablespaceMade = z.object({ path: z.string(), position, lsn: z.string() });
export type TablespaceMade = z.infer<typeof tablespaceMade>;

/** Name of the detail. */
export const TABLESPACES_MADE = 'tablespacesMade';
const detail = z.string().transform(jsonOf).pipe(z.array(tablespaceMade));

/** So many are kept of one log backup: the first one says already that its restore needs a person. */
const MOST = 20;

/** What the details of a log backup say of them; nothing when it creates none. */
export function detailOfTablespaces(made: readonly TablespaceMade[]): Record<string, string> {
  return made.length === 0 ? {} : { [TABLESPACES_MADE]: JSON.stringify(made.slice(0, MOST)) };
}

/** Those that the details of a log backup name. Older ones say nothing of them, and what cannot be read names none. */
export function tablespacesMadeIn(details: Readonly<Record<string, unknown>> | undefined): TablespaceMade[] {
  return detail.safeParse(details?.[TABLESPACES_MADE]).data ?? [];
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
