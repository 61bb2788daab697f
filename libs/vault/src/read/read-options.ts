import type { ByteRate } from '../limit/rate-limiter.ts';

/** How to read a backup; every one has a default. */
export interface ReadOptions {
  /** How fast the repository may be read. */
  readonly limits?: { readonly read?: ByteRate };
  /** Threads that unseal and decompress; default one less than there are cores. */
  readonly workers?: number;
}
