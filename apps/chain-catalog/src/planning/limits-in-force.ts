import type { DefinitionKind, DefinitionSnapshot } from '@catena/events';
import type { Place, RunState } from '@catena/run';
import { LIMITS_NAME, readLimitsSpec, sharingOf, type LimitsSpec } from '@catena/schedule';

type Definitions = (kind: DefinitionKind, name: string) => DefinitionSnapshot | undefined;

/** Limits on what runs at once, as they are defined now (rule 3.11). */
export class LimitsInForce {
  readonly #limits: LimitsSpec;
  readonly #definition: Definitions;

  /** @throws SpecNotUnderstoodError */
  constructor(definition: Definitions) {
    const spec = definition('Limits', LIMITS_NAME)?.spec;
    this.#limits = spec === undefined ? {} : readLimitsSpec(spec);
    this.#definition = definition;
  }

  /**
   * The limited places that a run takes. A restore is held only by what the platform and the repository allow: where it
   * writes to says nothing about the source. A stream takes none: it is there all the time, and would keep one for good.
   */
  placesOf(run: RunState): Place[] {
    if (run.request?.kind === 'backup' && run.request.stream !== undefined) return [];
    const { source, repository } = namesOf(run);
    const { runsAtOnce, perSource, perRepository, pools = {} } = this.#limits;
    const ofSource = source === undefined ? undefined : this.#sharing('Source', source);
    const ofRepository = this.#sharing('Repository', repository);
    const pool = run.request?.kind === 'restore' ? undefined : (ofSource ?? ofRepository).pool;
    return [
      ...place('source', source, ofSource?.runsAtOnce ?? perSource),
      ...place('repository', repository, ofRepository.runsAtOnce ?? perRepository),
      ...place('pool', pool, pool === undefined ? undefined : pools[pool]),
      ...place('platform', '', runsAtOnce),
    ];
  }

  #sharing(kind: 'Source' | 'Repository', name: string) {
    return sharingOf(this.#definition(kind, name)?.spec);
  }
}

function place(kind: Place['kind'], name: string | undefined, limit: number | undefined): Place[] {
  return name === undefined || limit === undefined ? [] : [{ kind, name, limit }];
}

function namesOf({ request }: RunState): { source: string | undefined; repository: string } {
  if (request === undefined) throw new RangeError('A run that nobody asked for has no place.');
  return { source: request.kind === 'backup' ? request.source : undefined, repository: request.repository };
}
