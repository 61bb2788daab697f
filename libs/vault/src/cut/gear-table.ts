import { deriveKey } from '../key/data-key.ts';
import type { CollectionKey } from '../key/data-key.ts';

/**
 * Numbers for the content-defined cutter, secret like the collection: block boundaries would otherwise tell which
 * known files are in it.
 */
export function gearTable(identity: CollectionKey): Uint32Array {
  const bytes = deriveKey(identity.secret, Buffer.alloc(0), 'gear table', 1024);
  return Uint32Array.from({ length: 256 }, (_, i) => bytes.readUInt32LE(i * 4));
}
