import { MalformedBytesError } from '../codec/byte-reader.ts';
import type { ObjectIdentity } from './object-header.ts';
import { decodeUnitHere } from './unit-codec.ts';
import type { UnitSeal } from './unit-seal.ts';
import { unitSeal } from './unit-seal.ts';

/** Some units of one object, as they were read. */
export interface SealedUnits {
  readonly identity: ObjectIdentity;
  readonly secret?: Uint8Array;
  /** Bytes of the object from `start` on; fewer than asked for when it ends before. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly units: readonly { readonly offset: number; readonly length: number }[];
  /** As they were compressed: one byte for the method and what it gave. */
  readonly compressed?: boolean;
}

/** What is in a unit, or why it cannot be had. */
export type OpenedUnit =
  Uint8Array | { readonly wrong: 'truncated' | 'checksum' | 'malformed'; readonly detail?: string };

/** Seals that were used last; making one costs more than opening a small unit. */
export class RecentSeals {
  private readonly seals = new Map<string, UnitSeal>();

  of({ identity, secret }: Pick<SealedUnits, 'identity' | 'secret'>): UnitSeal {
    const name = `${identity.volume}/${identity.kind}/${identity.number}`;
    let seal = this.seals.get(name);
    if (seal === undefined) {
      seal = unitSeal(identity, secret);
      if (this.seals.size >= 1024) this.seals.clear();
      this.seals.set(name, seal);
    }
    return seal;
  }
}

export function openUnits(sealed: SealedUnits, seals: RecentSeals): OpenedUnit[] {
  const seal = seals.of(sealed);
  return sealed.units.map(({ offset, length }) => {
    const at = offset - sealed.start;
    const unit = sealed.bytes.subarray(at, at + length);
    if (unit.length !== length) return { wrong: 'truncated' };
    const opened = seal.open(unit, offset);
    if (opened === undefined) return { wrong: 'checksum' };
    if (sealed.compressed === true) return opened;
    try {
      const plain = decodeUnitHere(opened);
      if (plain.buffer !== opened.buffer) giveBack(opened, sealed.bytes);
      return plain;
    } catch (error) {
      if (error instanceof MalformedBytesError) return { wrong: 'malformed', detail: error.message };
      throw error;
    }
  });
}

/** Returns the memory of what was unsealed at once; the collector would let much of it pile up. */
export function giveBack(opened: Uint8Array, sealed: Uint8Array): void {
  const { buffer } = opened;
  const isAlone = buffer !== sealed.buffer && buffer.byteLength === opened.byteLength;
  if (isAlone && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
