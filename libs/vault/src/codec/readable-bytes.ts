/** Bytes as text for people: UTF-8 where it is valid, `\xNN` for what is not and for control characters. */
export function readableBytes(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8');
  const valid = Buffer.from(text, 'utf8').equals(bytes);
  const escape = (byte: number) => `\\x${byte.toString(16).padStart(2, '0')}`;
  if (valid) return text.replace(/\p{Cc}/gu, (char) => [...Buffer.from(char)].map(escape).join(''));
  let out = '';
  for (const byte of bytes) out += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : escape(byte);
  return out;
}
