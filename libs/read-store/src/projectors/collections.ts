import { comparePositions } from '@catena/chain';
import type { EventData } from '@catena/events';
import type { CollectionRow, RowContent } from '../rows/index.ts';
import { existingRow, ownRow, type Projector } from './projector.ts';

type Collection = RowContent<CollectionRow>;

export const collections: Projector<Collection> = {
  handlers: {
    'collection.opened': ownRow((_before, { aggregate, time, data }) => ({
      collection: aggregate.id,
      source: data.source,
      sourceUid: data.sourceUid,
      repository: data.repository,
      repositoryUid: data.repositoryUid,
      openedAt: time,
      newestFull: null,
      newestFullPosition: null,
      plannedRun: null,
      lostLog: null,
    })),
    'collection.backup-planned': existingRow((row, { data }) =>
      data.copyOnly || data.type === 'log' ? row : { ...row, plannedRun: data.run },
    ),
    'collection.plan-dropped': existingRow((row, { data }) => withoutPlan(row, data.run)),
    'collection.archive-point-lost': existingRow((row, { time, data }) => ({
      ...row,
      lostLog: { position: data.position, reason: data.reason, at: time },
    })),
    'collection.family-accepted': existingRow((row) => withoutLoss(row)),
    'collection.backup-completed': existingRow((row, { data }) => {
      const settled = settledBy(withoutPlan(row, data.run), data);
      const conventionalFull = data.type === 'full' && !data.copyOnly;
      return conventionalFull && isNewer(data.position, settled.newestFullPosition)
        ? { ...settled, newestFull: data.backup, newestFullPosition: data.position }
        : settled;
    }),
  },
};

/** A log, or a data backup that logs can begin with, begins the log chain again. */
function settledBy(
  row: Collection,
  { copyOnly, type, archivePoint }: EventData<'collection.backup-completed'>,
): Collection {
  return !copyOnly && (type === 'log' || archivePoint !== undefined) ? withoutLoss(row) : row;
}

function withoutLoss(row: Collection): Collection {
  return row.lostLog === null ? row : { ...row, lostLog: null };
}

function withoutPlan(row: Collection, run: string): Collection {
  return row.plannedRun === run ? { ...row, plannedRun: null } : row;
}

function isNewer(position: string, than: string | null): boolean {
  return than === null || comparePositions(position, than) > 0;
}
