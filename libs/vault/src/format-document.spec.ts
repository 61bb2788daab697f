/**
 * A reader written from docs/vault-format.md alone: nothing of the library is used. When this fails after a change, the
 * document no longer says what is written.
 */
import { createDecipheriv, createHash, createHmac, hkdfSync } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { zstdDecompressSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';

const GOLDEN = fileURLToPath(new URL('../../../test/golden/vault/v1/', import.meta.url));
const COLLECTION = 'files%20of%20anna';

type Json = Record<string, unknown>;
interface VolumeJson {
  number: number;
  id: string;
  run: string;
  attempt: number;
  folder: string;
  key?: string;
  origin: string;
}
type Place = [volume: number, object: number, offset: number, length: number];

const readJson = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Json;
const hkdf = (key: Buffer, salt: Buffer | string, info: string, length = 32) =>
  Buffer.from(hkdfSync('sha256', key, salt, `catena/1 ${info}`, length));

function openGcm(key: Buffer, nonce: Buffer, associated: Buffer, sealed: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce);
  decipher.setAAD(associated);
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
}

class Cursor {
  private readonly bytes: Buffer;
  at = 0;
  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
  get more(): boolean {
    return this.at < this.bytes.length;
  }
  take(length: number): Buffer {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.take(1)[0]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }
  sized(): Buffer {
    return this.take(this.varint());
  }
  place(): Place {
    return [this.varint(), this.varint(), this.varint(), this.varint()];
  }
}

function unwrap(wrapped: string, key: Buffer, context: string): Buffer {
  const bytes = Buffer.from(wrapped, 'base64');
  return openGcm(key, bytes.subarray(0, 12), Buffer.from(context), bytes.subarray(12));
}

/** Section 4. */
function dataKeys(root: string): Map<string, Buffer> {
  const folder = path.join(root, COLLECTION, 'keys');
  const keyring = readJson(path.join(folder, readdirSync(folder).sort().at(-1)!));
  const { id } = readJson(path.join(root, 'catena/repository.json')) as { id: string };
  const origin = createHash('sha256').update(`${id}\0files of anna`).digest('hex').slice(0, 32);
  const secret = Buffer.from(
    readFileSync(path.join(GOLDEN, 'vault.key'), 'utf8').split(':')[1]!,
    'base64url',
  );
  const slots = keyring['slots'] as { id: string; kind: string; salt: string; wrapped: string }[];
  const slot = slots.find(({ kind }) => kind === 'keyFile')!;
  const under = hkdf(secret, Buffer.from(slot.salt, 'base64'), 'key file');
  const master = unwrap(slot.wrapped, under, `catena/1 keyring slot ${origin} ${slot.id}`);
  const keys = keyring['keys'] as { id: string; role: string; wrapped: string }[];
  return new Map(
    keys.map((key) => [
      key.id,
      unwrap(key.wrapped, master, `catena/1 keyring ${key.role} ${origin} ${key.id}`),
    ]),
  );
}

/** Sections 6 and 8. */
function readUnit(
  root: string,
  keys: Map<string, Buffer>,
  volume: VolumeJson,
  kind: string,
  place: Place,
): Buffer {
  const [, object, offset, length] = place;
  const header = Buffer.alloc(64);
  header.write('CATENAv1');
  header[8] = ['', 'pack', 'map', 'tree'].indexOf(kind);
  header[9] = volume.key === undefined ? 0 : 1;
  header.writeUInt32LE(object, 12);
  header.write(`${volume.key ?? '0'.repeat(16)}${volume.origin}${volume.id}`, 16, 'hex');
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64BE(BigInt(offset), 4);
  const associated = Buffer.concat([header, nonce]);
  const open = (stored: Buffer): Buffer => {
    if (volume.key !== undefined)
      return openGcm(hkdf(keys.get(volume.key)!, header, 'object'), nonce, associated, stored);
    const plain = stored.subarray(0, -16);
    const sum = createHash('sha256').update(associated).update(plain).digest().subarray(0, 16);
    if (!sum.equals(stored.subarray(-16))) throw new Error('checksum');
    return plain;
  };
  const number = String(object).padStart(8, '0');
  const folder = `${volume.folder}/${volume.run}.${volume.attempt}.${volume.id.slice(0, 8)}`;
  const file = readFileSync(path.join(root, COLLECTION, folder, `${kind}-${number}`));
  let plain: Buffer;
  try {
    plain = open(file.subarray(offset, offset + length));
  } catch {
    plain = open(
      readFileSync(path.join(root, COLLECTION, 'repairs', volume.id, `${kind}-${number}-${offset}`)),
    );
  }
  return plain[0] === 1 ? zstdDecompressSync(plain.subarray(1)) : plain.subarray(1);
}

/** Section 3. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.keys(value as Json)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical((value as Json)[key])}`);
  return `{${members.join(',')}}`;
}

/** Section 7: paths and the SHA-256 of what each file's blocks give. */
function readBackup(root: string, keys: Map<string, Buffer>, manifest: Json): Record<string, string> {
  const volumes = new Map((manifest['volumes'] as VolumeJson[]).map((volume) => [volume.number, volume]));
  const unit = (kind: string, place: Place) => readUnit(root, keys, volumes.get(place[0])!, kind, place);

  function blocks(page: Cursor, fixed: number | undefined, left: { bytes: number }): Buffer[] {
    const content: Buffer[] = [];
    while (page.more) {
      const tag = page.varint();
      const zero = tag % 2 === 1;
      const place = zero ? undefined : page.place();
      let start = zero ? 0 : page.varint();
      const data = place === undefined ? undefined : unit('pack', place);
      for (let i = 0; i < Math.floor(tag / 2); i++) {
        const size = fixed === undefined ? page.varint() : Math.min(fixed, left.bytes);
        if (!zero) page.take(16);
        content.push(data?.subarray(start, start + size) ?? Buffer.alloc(size));
        start += size;
        left.bytes -= size;
      }
    }
    return content;
  }

  function pages(level: number, place: Place, fixed: number | undefined, left: { bytes: number }): Buffer[] {
    const page = new Cursor(unit('map', place));
    if (level === 0) return blocks(page, fixed, left);
    const content: Buffer[] = [];
    while (page.more) {
      content.push(...pages(level - 1, page.place(), fixed, left));
      page.varint();
    }
    return content;
  }

  function content(reference: Cursor): { sha256: string; bytes: Buffer } {
    const layout = reference.take(1)[0];
    const left = { bytes: reference.varint() };
    reference.take(1);
    const sha256 = reference.take(32).toString('hex');
    const cut = reference.take(1)[0];
    const size = reference.varint();
    const fixed = cut === 0 ? size : undefined;
    if (layout === 0) return { sha256, bytes: Buffer.concat(blocks(reference, fixed, left)) };
    return { sha256, bytes: Buffer.concat(pages(reference.varint(), reference.place(), fixed, left)) };
  }

  const found: Record<string, string> = {};
  for (const text of (manifest['tree'] as { index: string[] }).index) {
    const index = new Cursor(unit('tree', text.split(':').map(Number) as Place));
    while (index.more) {
      index.sized();
      index.varint();
      index.take(16);
      const page = new Cursor(unit('tree', index.place()));
      let name = Buffer.alloc(0);
      while (page.more) {
        name = Buffer.concat([name.subarray(0, page.varint()), page.sized()]);
        page.take(1);
        for (let i = 0; i < 3; i++) page.varint();
        page.take(24);
        for (let i = 0; i < 3; i++) page.varint();
        let sha256 = createHash('sha256').digest('hex');
        for (let fields = page.varint(); fields > 0; fields--) {
          const tag = page.varint();
          const value = page.sized();
          if (tag !== 1) continue;
          const read = content(new Cursor(value));
          sha256 = createHash('sha256').update(read.bytes).digest('hex');
          expect(sha256).toBe(read.sha256);
        }
        found[name.toString('latin1')] = sha256;
      }
    }
  }
  return found;
}

describe.each(['encrypted', 'plain'])(
  'docs/vault-format.md is enough to read a repository that is %s',
  (kind) => {
    const root = path.join(GOLDEN, kind);
    const keys = kind === 'encrypted' ? dataKeys(root) : new Map<string, Buffer>();
    const expected = readJson(path.join(GOLDEN, `${kind}.expected.json`)) as Record<
      string,
      { entries: { path: string; sha256: string }[] }
    >;
    const manifests = readdirSync(path.join(root, COLLECTION), { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('manifest.json'));

    it('has a manifest for every backup', () => {
      expect(manifests).toHaveLength(Object.keys(expected).length);
    });

    it.each(manifests)('%s', (name) => {
      const { seal, ...manifest } = readJson(path.join(root, COLLECTION, name));
      const { sha256, key, hmac } = seal as { sha256: string; key?: string; hmac?: string };
      expect(createHash('sha256').update(canonical(manifest)).digest('hex')).toBe(sha256);
      if (key !== undefined) {
        const secret = hkdf(keys.get(key)!, '', 'document');
        expect(createHmac('sha256', secret).update(canonical(manifest)).digest('hex')).toBe(hmac);
      }
      const { entries } = expected[manifest['backup'] as string]!;
      expect(readBackup(root, keys, manifest)).toEqual(
        Object.fromEntries(entries.map((entry) => [entry.path, entry.sha256])),
      );
    });
  },
);
