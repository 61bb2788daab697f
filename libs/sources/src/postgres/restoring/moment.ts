/** Times to the microsecond, as PostgreSQL keeps them. */

/** An instant in ISO 8601, with up to six digits of a second, in microseconds since 1970. */
export function microsecondsOf(instant: string): bigint {
  const digits = /\.(\d{1,9})/.exec(instant)?.[1] ?? '';
  const whole = BigInt(Date.parse(instant.replace(/\.\d+/, ''))) * 1000n;
  return whole + BigInt(digits.padEnd(6, '0').slice(0, 6));
}

/** As a setting of the server takes it. */
export function settingOfMoment(microseconds: bigint): string {
  const seconds = new Date(Number(microseconds / 1_000_000n) * 1000)
    .toISOString()
    .slice(0, 19)
    .replace('T', ' ');
  return `${seconds}.${(microseconds % 1_000_000n).toString().padStart(6, '0')}+00`;
}
