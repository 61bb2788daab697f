import { CatenaError, type Warning } from '@catena/events';
import { readableSize } from './readable-size.ts';
import type { ExpectedSpace } from './judge-space.ts';

export interface SpaceFacts {
  /** Name of the repository. */
  readonly repository: string;
  readonly free: number;
  readonly expected: ExpectedSpace | undefined;
  /** By earlier attempts of the run. */
  readonly stored: number;
}

function figures({ repository, free, expected, stored }: SpaceFacts): string {
  const has = `The repository ${repository} has ${readableSize(free)} free`;
  if (expected === undefined) return `${has}.`;
  const already = stored === 0 ? '' : `, of which ${readableSize(stored)} is stored already`;
  return `${has}; about ${readableSize(expected.bytes)} is needed, as ${expected.as} took${already}.`;
}

/** There is far too little room for the backup: said before anything is read. Nothing was changed. */
export class SpaceShortError extends CatenaError {
  constructor(facts: SpaceFacts) {
    super('repository.space-short', figures(facts), {
      remedy: 'Make room: add disk, or let backups expire (deleting needs no space). The run is repeated.',
      retryable: true,
      details: {
        repository: facts.repository,
        free: facts.free,
        expected: facts.expected?.bytes,
        stored: facts.stored,
      },
    });
  }
}

export function spaceLow(facts: SpaceFacts): Warning {
  return { code: 'repository.space-low', message: `${figures(facts)} It may not be enough.` };
}
