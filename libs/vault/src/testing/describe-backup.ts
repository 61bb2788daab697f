import { createHash } from 'node:crypto';
import type { BackupReader } from '../index.ts';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

/** Everything a backup says of its entries, and the hashes of what it gives back, as plain JSON. */
export async function describeBackup(reader: BackupReader): Promise<unknown> {
  const entries: unknown[] = [];
  for await (const entry of reader.entries()) {
    const { path, content: _content, readAt: _readAt, linkTarget, hardLink, xattrs, ...rest } = entry;
    const hash = createHash('sha256');
    for await (const chunk of reader.content(entry)) hash.update(chunk);
    const plain = Object.entries(rest).map(([name, value]) => [
      name,
      typeof value === 'bigint' ? String(value) : value,
    ]);
    entries.push({
      path: text(path),
      ...(Object.fromEntries(plain) as Record<string, unknown>),
      ...(linkTarget === undefined ? {} : { linkTarget: text(linkTarget) }),
      ...(hardLink === undefined ? {} : { hardLink: text(hardLink) }),
      ...(xattrs === undefined ? {} : { xattrs: xattrs.map(([name, value]) => [text(name), text(value)]) }),
      sha256: hash.digest('hex'),
    });
  }
  const warnings: unknown[] = [];
  for await (const { path, code, message } of reader.warnings())
    warnings.push({ path: text(path), code, message });
  const { type, copyOnly, chain, parent, base, position, backups } = reader.manifest;
  await reader.close();
  return JSON.parse(
    JSON.stringify({ type, copyOnly, chain, parent, base, position, backups, warnings, entries }),
  ) as unknown;
}
