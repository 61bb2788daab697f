import type { RecordedEvent } from '@catena/events';
import type { RepositoryKeyRow, RowContent } from '../rows/index.ts';
import type { Projector } from './projector.ts';

type RepositoryKey = RowContent<RepositoryKeyRow>;

export const repositoryKeys: Projector<RepositoryKey> = {
  handlers: {
    'repository.key-generated': {
      key: keyOf,
      apply: (row, event) =>
        row ?? {
          key: keyOf(event),
          repository: event.data.repository,
          repositoryUid: event.aggregate.id,
          keyId: event.data.keyId,
          path: event.data.path,
          generatedAt: event.time,
          exportedAt: null,
        },
    },
    // A copy may be taken of a key that a person brought along; nobody has to be reminded of that one.
    'repository.key-exported': {
      key: keyOf,
      apply: (row, { time }) =>
        row === undefined || row.exportedAt !== null ? row : { ...row, exportedAt: time },
    },
  },
};

function keyOf({
  aggregate,
  data,
}: RecordedEvent<'repository.key-generated'> | RecordedEvent<'repository.key-exported'>): string {
  return `${aggregate.id}/${data.keyId}`;
}
