import type { RunWait } from '@catena/events';

/** Something of which only so many runs may be at work at once. */
export interface Place {
  readonly kind: Exclude<RunWait['reason'], 'previousRun'>;
  /** Empty for the platform. */
  readonly name: string;
  /** Most runs at once. */
  readonly limit: number;
}

/** `repository/vault`; `platform` for the whole. */
export function placeKey({ kind, name }: Pick<Place, 'kind' | 'name'>): string {
  return name === '' ? kind : `${kind}/${name}`;
}
