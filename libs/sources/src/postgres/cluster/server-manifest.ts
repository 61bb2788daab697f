/**
 * The manifest a server gives with a base backup, read as it comes: one line per file. Its own hash covers every byte
 * before the line that holds it, so the bytes must be kept as they are (numbers in it are larger than JSON.parse holds).
 */
import { createHash, type Hash } from 'node:crypto';

/** What the server says of a file. */
export interface ManifestFile {
  readonly path: string;
  readonly size: number;
  /** Hex; absent when the server was told not to hash. */
  readonly checksum?: string;
  readonly algorithm?: string;
}

const LINE_FEED = 0x0a;
const HASH_LINE = '"Manifest-Checksum"';

interface FileLine {
  readonly Path?: string;
  readonly 'Encoded-Path'?: string;
  readonly Size: number;
  readonly 'Checksum-Algorithm'?: string;
  readonly Checksum?: string;
}

export class ServerManifest {
  readonly #onFile: (file: ManifestFile) => void;
  readonly #hash: Hash = createHash('sha256');
  #line: Buffer = Buffer.alloc(0);
  #claimed: string | undefined;

  /** @param onFile called for each file in the manifest's order */
  constructor(onFile: (file: ManifestFile) => void) {
    this.#onFile = onFile;
  }

  push(bytes: Uint8Array): void {
    let rest = this.#line.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#line, bytes]);
    for (let end = rest.indexOf(LINE_FEED); end !== -1; end = rest.indexOf(LINE_FEED)) {
      this.#take(rest.subarray(0, end + 1));
      rest = rest.subarray(end + 1);
    }
    this.#line = rest;
  }

  /** Throws when it is not whole. */
  end(): void {
    if (this.#line.length > 0) this.#take(this.#line);
    if (this.#claimed === undefined) throw new Error('the manifest of the base backup has no end');
    if (this.#hash.digest('hex') !== this.#claimed)
      throw new Error('the manifest of the base backup does not have the checksum it names');
  }

  #take(line: Buffer): void {
    if (this.#claimed !== undefined) return;
    const text = line.toString('utf8');
    if (text.startsWith(HASH_LINE)) {
      this.#claimed = /"([0-9a-f]{64})"/.exec(text)?.[1] ?? '';
      return;
    }
    this.#hash.update(line);
    const file = fileOf(text);
    if (file !== undefined) this.#onFile(file);
  }
}

function fileOf(line: string): ManifestFile | undefined {
  const from =
    line.indexOf('{ "Path":') === -1 ? line.indexOf('{ "Encoded-Path":') : line.indexOf('{ "Path":');
  if (from === -1) return undefined;
  const entry = JSON.parse(line.slice(from, line.lastIndexOf('}') + 1)) as FileLine;
  const encoded = entry['Encoded-Path'];
  const path = entry.Path ?? Buffer.from(encoded ?? '', 'hex').toString('utf8');
  const { Checksum: checksum, 'Checksum-Algorithm': algorithm } = entry;
  return {
    path,
    size: entry.Size,
    ...(checksum === undefined ? {} : { checksum }),
    ...(algorithm === undefined ? {} : { algorithm }),
  };
}
