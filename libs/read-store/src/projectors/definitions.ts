import type { DefinitionRow, RowContent } from '../rows/index.ts';
import { existingRow, ownRow, type Projector } from './projector.ts';

type Definition = RowContent<DefinitionRow>;

export const definitions: Projector<Definition> = {
  handlers: {
    'definition.applied': ownRow((_before, { aggregate, time, data }) => ({
      definition: aggregate.id,
      kind: data.kind,
      name: data.name,
      uid: data.uid,
      generation: data.generation,
      labels: data.labels,
      spec: data.spec,
      origin: data.origin ?? null,
      appliedAt: time,
      deleted: false,
    })),
    'definition.deleted': existingRow((row) => ({ ...row, deleted: true })),
  },
};
