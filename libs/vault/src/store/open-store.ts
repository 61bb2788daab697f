import { fileURLToPath } from 'node:url';
import { UnsupportedStoreError } from '../error/repository-error.ts';
import type { ObjectStore } from '../port/object-store.ts';
import { FsStore } from './fs-store.ts';

const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;

/** The store behind a path or URL. A new store is one folder beside this file and one line here. */
export function openStore(location: string): ObjectStore {
  if (!SCHEME.test(location)) return new FsStore(location);
  const url = new URL(location);
  if (url.protocol === 'file:') return new FsStore(fileURLToPath(url));
  throw new UnsupportedStoreError(`${url.protocol}//${url.host}`);
}
