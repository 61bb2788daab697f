import { comparePositions } from '@catena/chain';
import type { RecordedEvent } from '@catena/events';
import type { ChainRow, RowContent } from '../rows/index.ts';
import type { Projector } from './projector.ts';

type Chain = RowContent<ChainRow>;
type Joined = RecordedEvent<'backup.completed'> | RecordedEvent<'backup.found'>;

export const chains: Projector<Chain> = {
  handlers: {
    'backup.completed': { key: chainOf, apply: joined },
    'backup.found': { key: chainOf, apply: joined },
  },
};

/** Logs belong to the collection, not to a chain. */
function chainOf({ data }: Joined): string | undefined {
  return data.type === 'log' ? undefined : data.chain;
}

/** A rescan may find a backup again, so joining twice must change nothing. */
function joined(row: Chain | undefined, { data }: Joined): Chain {
  if (row === undefined) {
    return {
      chain: data.chain,
      collection: data.collection,
      source: data.source,
      sourceUid: data.sourceUid,
      repository: data.repository,
      repositoryUid: data.repositoryUid,
      copyOnly: data.copyOnly,
      startPosition: data.position,
      oldestAsOf: data.asOf,
      newestAsOf: data.asOf,
    };
  }
  const earlier = comparePositions(data.position, row.startPosition) < 0;
  const startPosition = earlier ? data.position : row.startPosition;
  const oldestAsOf = data.asOf < row.oldestAsOf ? data.asOf : row.oldestAsOf;
  const newestAsOf = data.asOf > row.newestAsOf ? data.asOf : row.newestAsOf;
  const same = !earlier && oldestAsOf === row.oldestAsOf && newestAsOf === row.newestAsOf;
  return same ? row : { ...row, startPosition, oldestAsOf, newestAsOf };
}
