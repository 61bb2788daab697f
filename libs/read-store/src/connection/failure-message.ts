/** What a failure says in words. Connecting to several addresses fails with an error that has only a code of its own. */
export function failureMessage(error: unknown): string {
  const { message, code, name } = (error ?? {}) as { message?: unknown; code?: unknown; name?: unknown };
  for (const part of [message, code, name]) if (typeof part === 'string' && part !== '') return part;
  return String(error);
}
