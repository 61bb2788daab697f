import { comparePositions } from '@catena/chain';
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
    })),
    'collection.backup-planned': existingRow((row, { data }) =>
      data.copyOnly || data.type === 'log' ? row : { ...row, plannedRun: data.run },
    ),
    'collection.plan-dropped': existingRow((row, { data }) => withoutPlan(row, data.run)),
    'collection.backup-completed': existingRow((row, { data }) => {
      const settled = withoutPlan(row, data.run);
      const conventionalFull = data.type === 'full' && !data.copyOnly;
      return conventionalFull && isNewer(data.position, settled.newestFullPosition)
        ? { ...settled, newestFull: data.backup, newestFullPosition: data.position }
        : settled;
    }),
  },
};

function withoutPlan(row: Collection, run: string): Collection {
  return row.plannedRun === run ? { ...row, plannedRun: null } : row;
}

function isNewer(position: string, than: string | null): boolean {
  return than === null || comparePositions(position, than) > 0;
}
