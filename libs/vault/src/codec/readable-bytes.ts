const escaped = (byte: number) => `\\x${byte.toString(16).padStart(2, '0')}`;

/**
 * Bytes as one line of text for people: UTF-8 where it is valid, `\xNN` for what is not and for control characters, `\\` for
 * a backslash. Two names never look the same, and `bytesOfReadable` gives the bytes back.
 */
export function readableBytes(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8');
  const valid = Buffer.from(text, 'utf8').equals(bytes);
  if (valid) {
    return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\\]/gu, (char) =>
      char === '\\' ? '\\\\' : [...Buffer.from(char)].map(escaped).join(''),
    );
  }
  let out = '';
  for (const byte of bytes)
    out += byte === 0x5c ? '\\\\' : byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : escaped(byte);
  return out;
}

/** The bytes of a name as a person types it: as text, or as `readableBytes` shows it. Other backslashes stand for themselves. */
export function bytesOfReadable(text: string): Uint8Array {
  const parts = text
    .split(/(\\x[0-9a-fA-F]{2}|\\\\)/)
    .map((part, index) =>
      index % 2 === 0
        ? Buffer.from(part, 'utf8')
        : part === '\\\\'
          ? Buffer.from('\\')
          : Buffer.from(part.slice(2), 'hex'),
    );
  return Buffer.concat(parts);
}
