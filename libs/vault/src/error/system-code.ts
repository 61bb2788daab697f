/** The code of a system error such as `ENOENT`. Asks for the property, because the error may come from another realm. */
export function systemCode(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined;
}
