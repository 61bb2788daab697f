import type { BackupView, EventData, RecordedEvent } from '@catena/events';
import type { BackupRow, RowContent } from '../rows/index.ts';
import { existingRow, ownRow, required, type Projector } from './projector.ts';

type Backup = RowContent<BackupRow>;

export const backups: Projector<Backup> = {
  handlers: {
    'backup.completed': ownRow((_before, event) => artefact(event, 'usable', false)),
    'backup.found': ownRow((row, event) => ({
      ...artefact(event, stateWhenFound(row), row?.found ?? true),
      verifiedAt: row?.verifiedAt ?? null,
      verifiedDepth: row?.verifiedDepth ?? null,
      pinned: row?.pinned ?? false,
      stateBecause: row?.stateBecause ?? null,
      undoUntil: row?.undoUntil ?? null,
    })),
    'backup.verified': existingRow((row, { data }) => ({
      ...row,
      verifiedAt: data.at,
      verifiedDepth: data.depth,
    })),
    'backup.damaged': existingRow((row, { data }) => inState(row, data.missing ? 'missing' : 'damaged')),
    'collection.backup-unusable': {
      key: ({ data }) => data.backup,
      apply: (row, event) => unusable(required(row, event), event.data),
    },
    'collection.expiry-undone': {
      key: ({ data }) => data.backup,
      apply: (row, event) => {
        const known = required(row, event);
        return known.state === 'expired'
          ? { ...known, state: 'usable', stateBecause: null, undoUntil: null }
          : known;
      },
    },
    'collection.backup-deleted': {
      key: ({ data }) => data.backup,
      apply: (row, event) => ({ ...required(row, event), state: 'deleted', undoUntil: null }),
    },
    'collection.backup-pinned': {
      key: ({ data }) => data.backup,
      apply: (row, event) => ({ ...required(row, event), pinned: true }),
    },
    'collection.backup-unpinned': {
      key: ({ data }) => data.backup,
      apply: (row, event) => ({ ...required(row, event), pinned: false }),
    },
  },
};

function artefact(
  { aggregate, data }: RecordedEvent<'backup.completed'> | RecordedEvent<'backup.found'>,
  state: BackupView['state'],
  found: boolean,
): Backup {
  return {
    backup: aggregate.id,
    run: data.run,
    collection: data.collection,
    source: data.source,
    sourceUid: data.sourceUid,
    repository: data.repository,
    repositoryUid: data.repositoryUid,
    type: data.type,
    copyOnly: data.copyOnly,
    parent: data.parent ?? null,
    base: data.base ?? null,
    chain: data.chain,
    position: data.position,
    family: data.family,
    fork: data.fork ?? null,
    start: data.start ?? null,
    archivePoint: data.archivePoint ?? null,
    startedAt: data.startedAt,
    asOf: data.asOf,
    finishedAt: data.finishedAt,
    files: data.files,
    bytes: data.bytes,
    bytesAdded: data.bytesAdded,
    closure: data.closure,
    manifestName: data.manifest.name,
    manifestHash: data.manifest.hash,
    keyIds: data.keyIds,
    warningCount: data.warningCount,
    state,
    stateBecause: null,
    undoUntil: null,
    pinned: false,
    found,
    verifiedAt: null,
    verifiedDepth: null,
    driverDetails: data.driverDetails ?? null,
    marks: data.marks ?? null,
    moreMarks: data.moreMarks ?? null,
    transactions: data.transactions ?? null,
  };
}

/** What was missing and is there again can be used again; nothing else comes back. */
function stateWhenFound(row: Backup | undefined): BackupView['state'] {
  return row === undefined || row.state === 'missing' ? 'usable' : row.state;
}

function unusable(
  row: Backup,
  { reason, because, undoUntil }: EventData<'collection.backup-unusable'>,
): Backup {
  const next = inState(row, reason);
  return next === row ? row : { ...next, stateBecause: because ?? null, undoUntil: undoUntil ?? null };
}

/** `condemned` is irrevocable (rules.md section 5.4). */
function inState(row: Backup, state: BackupView['state']): Backup {
  const final = row.state === 'condemned' || row.state === 'deleted';
  return final || row.state === state ? row : { ...row, state };
}
