/**
 * Begins to store content, and resolves when all of it has been read: what comes behind it on the wire can be read while it is
 * still being hashed, compressed and sealed. Rejects when it cannot be stored before that.
 *
 * @returns what becomes of it; to be awaited as well
 */
export async function storeWhileReading<T>(
  pieces: AsyncIterable<Buffer>,
  store: (pieces: AsyncIterable<Buffer>) => Promise<T>,
): Promise<{ readonly stored: Promise<T> }> {
  const { promise: read, resolve } = Promise.withResolvers<undefined>();
  const watched = async function* () {
    try {
      yield* pieces;
    } finally {
      resolve(undefined);
    }
  };
  const stored = store(watched());
  stored.catch(() => undefined); // thrown to whoever awaits it
  await Promise.race([read, stored]);
  return { stored };
}
