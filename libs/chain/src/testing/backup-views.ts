import type { BackupView } from '@catena/events';

/** A backup as queries answer it; what a test does not name is plain. Ids `f1`, `i2`, … become `bkp-f1`, `bkp-i2`. */
export function backupView(
  id: string,
  minute: number,
  fields: Partial<Omit<BackupView, 'closure'>> & { closure?: string[] } = {},
): BackupView {
  const at = new Date(Date.UTC(2026, 0, 1) + minute * 60_000).toISOString();
  const name = (text: string) => `bkp-${text}`;
  const closure = (fields.closure ?? []).map(name);
  return {
    backup: name(id),
    run: `run-${id}`,
    collection: 'col-1',
    source: 'documents',
    sourceUid: 'src-1',
    repository: 'vault',
    repositoryUid: 'rep-1',
    type: 'full',
    copyOnly: false,
    position: String(minute),
    family: 'family-1',
    startedAt: at,
    asOf: at,
    finishedAt: at,
    files: 1,
    bytes: 100,
    bytesAdded: 10,
    manifest: { name: `${id}.manifest`, hash: id },
    keyIds: [],
    warningCount: 0,
    state: 'usable',
    found: false,
    ...fields,
    closure,
    chain: closure[0] ?? name(id),
  };
}
