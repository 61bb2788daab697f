/** JSON documents and their seals: docs/vault-format.md section 3. */
import { createHash, createHmac, hkdfSync } from 'node:crypto';

/** The text that a document's seal is computed over. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item)).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const members = Object.keys(value).sort();
    return `{${members.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

/**
 * Parses a document and checks kind, version, hash, and that it needs none but the given features. Throws with the name
 * of the object.
 */
export function parseDocument(name, bytes, format, features = []) {
  let document;
  try {
    document = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new Error(`${name} is damaged: it is not JSON`);
  }
  if (document?.format !== format) throw new Error(`${name} is not a document of kind ${format}`);
  const { seal, ...rest } = document;
  if (createHash('sha256').update(canonical(rest)).digest('hex') !== seal?.sha256) {
    throw new Error(`${name} is damaged: its hash does not match`);
  }
  if (document.version !== 1)
    throw new Error(`${name} has version ${document.version}; this program reads 1`);
  const unknown = (document.features ?? []).filter((feature) => !features.includes(feature));
  if (unknown.length > 0) throw new Error(`${name} needs features ${unknown.join(', ')}`);
  return document;
}

/** Whether somebody with the data key wrote the document. */
export function checkAuthor(name, document, dataKey) {
  const { seal, ...rest } = document;
  const key = Buffer.from(hkdfSync('sha256', dataKey, '', 'catena/1 document', 32));
  if (createHmac('sha256', key).update(canonical(rest)).digest('hex') !== seal.hmac) {
    throw new Error(`${name} was not written by an owner of the key, or was changed since`);
  }
}
