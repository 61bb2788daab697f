import { MalformedBytesError } from '../codec/byte-reader.ts';
import type { Damage } from '../error/damaged-object-error.ts';
import { DamagedObjectError } from '../error/damaged-object-error.ts';
import type { ObjectKind } from './object-header.ts';
import type { UnitPlace } from './object-series-writer.ts';
import type { SealedUnits } from './open-units.ts';

/** What a reader must know of a volume to open its objects. */
export interface ReadableVolume {
  readonly number: number;
  readonly id: string;
  readonly origin: string;
  readonly key?: { readonly id: string; readonly secret: Uint8Array };
  readonly nameOf: (kind: ObjectKind, object: number) => string;
  /** Where a repair overlay for a place in an object would lie. */
  readonly repairOf: (kind: ObjectKind, object: number, offset: number) => string;
}

/** What opens the units of an object. */
export function sealOf(
  { id, origin, key }: ReadableVolume,
  kind: ObjectKind,
  object: number,
): Pick<SealedUnits, 'identity' | 'secret'> {
  return {
    identity: { kind, number: object, volume: id, origin, ...(key === undefined ? {} : { key: key.id }) },
    ...(key === undefined ? {} : { secret: key.secret }),
  };
}

/** The error for something wrong at a place. */
export function damageAt(
  volume: ReadableVolume,
  kind: ObjectKind,
  { object, offset, length }: UnitPlace,
  reason: Damage['reason'],
  detail?: string,
): DamagedObjectError {
  return new DamagedObjectError(
    { object: volume.nameOf(kind, object), offset, length, reason, backups: [], files: [] },
    detail === undefined ? undefined : new MalformedBytesError(detail),
  );
}
