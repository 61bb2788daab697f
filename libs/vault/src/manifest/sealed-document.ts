import { createHash, createHmac } from 'node:crypto';
import type { z } from 'zod';
import type { JsonValue } from '../codec/canonical-json.ts';
import { canonicalJson } from '../codec/canonical-json.ts';
import { DamagedObjectError } from '../error/damaged-object-error.ts';
import { NewerFormatError } from '../error/repository-error.ts';
import type { CollectionKey } from '../key/data-key.ts';
import { deriveKey } from '../key/data-key.ts';

type JsonObject = { readonly [key: string]: JsonValue | undefined };

/** Highest version of JSON documents this program reads. */
const VERSION = 1;

/** Some content has no hash of all of it: each block is proven by its identity (content-ref). */
export const CONTENT_WITHOUT_HASH = 'content-without-hash';

/** What a document may require beyond its version. */
const KNOWN_FEATURES: ReadonlySet<string> = new Set([CONTENT_WITHOUT_HASH]);

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(text: string, key: CollectionKey): string {
  const secret = deriveKey(key.secret, Buffer.alloc(0), 'document');
  return createHmac('sha256', secret).update(text).digest('hex');
}

/**
 * A JSON document as bytes: readable, with a last member `seal` that holds the SHA-256 of the document's canonical
 * form without it and, under a key, an HMAC of the same.
 */
export function sealDocument(document: JsonObject, key?: CollectionKey): Buffer {
  const text = canonicalJson(document);
  const seal = {
    sha256: sha256(text),
    ...(key === undefined ? {} : { key: key.id, hmac: hmac(text, key) }),
  };
  return Buffer.from(`${JSON.stringify({ ...document, seal }, undefined, 1)}\n`);
}

export interface OpenedDocument<T> {
  readonly document: T;
  /** Id of the key it was authenticated with, if any. */
  readonly key: string | undefined;
  /** @throws DamagedObjectError when somebody without the key has changed the document */
  authenticate(key: CollectionKey): void;
}

/**
 * Checks the document's hash and form.
 * @throws DamagedObjectError, NewerFormatError
 */
export function openDocument<T>(
  object: string,
  bytes: Uint8Array,
  format: string,
  schema: z.ZodType<T>,
): OpenedDocument<T> {
  const damaged = (reason: 'malformed' | 'checksum', cause?: unknown) =>
    new DamagedObjectError({ object, reason, backups: [], files: [] }, cause);
  let parsed: Record<string, JsonValue> | null;
  try {
    parsed = JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, JsonValue> | null;
  } catch (error) {
    throw damaged('malformed', error);
  }
  if (parsed?.['format'] !== format) throw damaged('malformed');
  const { seal, ...rest } = parsed;
  const found = seal as { sha256?: unknown; key?: unknown; hmac?: unknown } | undefined;
  let text: string;
  try {
    text = canonicalJson(rest);
  } catch (error) {
    throw damaged('malformed', error);
  }
  if (found?.sha256 !== sha256(text)) throw damaged('checksum');
  const { version, features } = rest;
  const unknown = Array.isArray(features) ? features.filter((name) => !KNOWN_FEATURES.has(String(name))) : [];
  if (unknown.length > 0)
    throw new NewerFormatError(object, `${VERSION} with ${unknown.join(', ')}`, VERSION);
  if (typeof version === 'number' && version > VERSION) throw new NewerFormatError(object, version, VERSION);
  const checked = schema.safeParse(rest);
  if (!checked.success) throw damaged('malformed', checked.error);
  return {
    document: checked.data,
    key: typeof found.key === 'string' ? found.key : undefined,
    authenticate(key) {
      if (found.hmac !== hmac(text, key)) throw damaged('checksum');
    },
  };
}
