/**
 * Makes a restored data folder one that can be started without harm: it recovers to where the backup ends, on a timeline
 * of its own, and nothing of the source's settings acts (a copy that archives would write into the source's archive).
 */
import { mkdir, open, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { recoverySettingLines } from '../cluster/recovery-settings.ts';
import { HARMLESS_SETTINGS, settingsNotInForce } from './source-settings.ts';

export interface CopyPlan {
  /** Files of the backup, so that none is looked for. */
  readonly paths: ReadonlySet<string>;
  readonly driverDetails: Readonly<Record<string, unknown>>;
  /** Final places by object id. */
  readonly tablespaces: ReadonlyMap<string, string>;
  /** How recovery goes and where it ends. */
  readonly recovery: readonly string[];
}

/** Kept beside the copy's own under this ending, for the day the copy takes the source's place. */
export const SOURCE_ENDING = '.source';
const SETTINGS = ['postgresql.conf', 'postgresql.auto.conf', 'pg_hba.conf', 'pg_ident.conf'];

/**
 * @param folder the data folder, before a server has run on it
 * @returns the settings of the source that do not act in the copy, by name
 */
export async function prepareCopy(folder: string, plan: CopyPlan): Promise<string[]> {
  const at = (name: string) => path.join(folder, name);
  const kept = SETTINGS.filter((name) => plan.paths.has(name));
  for (const name of kept) await rename(at(name), at(`${name}${SOURCE_ENDING}`));
  for (const name of ['standby.signal', 'recovery.signal', 'tablespace_map', 'backup_manifest'])
    await rm(at(name), { force: true });
  await writeOwn(at('postgresql.conf'), settingsText(plan));
  await writeOwn(at('postgresql.auto.conf'), '');
  await writeOwn(at('pg_hba.conf'), HOST_RULES);
  await writeOwn(at('pg_ident.conf'), '');
  await writeOwn(at('recovery.signal'), '');
  await writeOwn(at('backup_label'), withoutIncrementalLines(await readFile(at('backup_label'), 'utf8')));
  for (const [oid, place] of plan.tablespaces) {
    await mkdir(at('pg_tblspc'), { recursive: true, mode: 0o700 });
    await rm(at(`pg_tblspc/${oid}`), { force: true });
    await symlink(place, at(`pg_tblspc/${oid}`));
  }
  await syncFolder(folder);
  const spoken = kept.filter((name) => name.endsWith('.conf') && name.startsWith('postgresql'));
  return await settingsNotInForce(
    folder,
    spoken.map((name) => `${name}${SOURCE_ENDING}`),
  );
}

const HOST_RULES = `# Who may connect to this restored copy. The source's rules are in pg_hba.conf${SOURCE_ENDING}.
local all all peer
host all all 127.0.0.1/32 scram-sha-256
host all all ::1/128 scram-sha-256
`;

function settingsText({ driverDetails, recovery }: CopyPlan): string {
  return [
    `# Settings of a copy restored by Catena. The source's own are in *${SOURCE_ENDING}: take from there what it needs`,
    '# when it is to take the place of the source.',
    ...HARMLESS_SETTINGS,
    '',
    '# At least as large as at the source, or recovery stops.',
    ...recoverySettingLines(driverDetails),
    '',
    '# Recovery; without meaning once it has ended.',
    ...recovery,
    '',
  ].join('\n');
}

/** An incremental backup is refused by the server for these lines; what is here has been put together already. */
export function withoutIncrementalLines(label: string): string {
  return label
    .split('\n')
    .filter((line) => !/^INCREMENTAL FROM (LSN|TLI):/.test(line))
    .join('\n');
}

async function writeOwn(file: string, text: string): Promise<void> {
  // Anew: a link of that name in the backup must not be written through.
  await rm(file, { force: true });
  await writeFile(file, text, { mode: 0o600, flush: true, flag: 'wx' });
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
