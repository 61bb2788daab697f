import { ByteReader } from '../codec/byte-reader.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import type { BackupWarning } from '../port/backup-writer.ts';

export function encodeWarnings(warnings: readonly BackupWarning[]): Buffer {
  const out = new ByteWriter(4096);
  for (const { path, code, message } of warnings)
    out.sized(path).sized(Buffer.from(code)).sized(Buffer.from(message));
  return out.take();
}

/** @throws MalformedBytesError */
export function decodeWarnings(page: Uint8Array): BackupWarning[] {
  const reader = new ByteReader(page);
  const warnings: BackupWarning[] = [];
  while (reader.remaining > 0)
    warnings.push({
      path: reader.sized(),
      code: reader.sized().toString(),
      message: reader.sized().toString(),
    });
  return warnings;
}
