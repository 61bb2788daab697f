/**
 * Text as a header value: what is not printable ASCII, spaces, quotes and "%" are percent-encoded as UTF-8
 * (CloudEvents HTTP binding 3.1.3.2, used for NATS headers too).
 */
export function encodeHeaderValue(text: string): string {
  return text.replace(/[^!#$&-~]+/gu, (run) =>
    [...Buffer.from(run, 'utf8')]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  );
}

/** @throws URIError when the value is not percent-encoded UTF-8. */
export function decodeHeaderValue(value: string): string {
  return value.includes('%') ? decodeURIComponent(value) : value;
}
