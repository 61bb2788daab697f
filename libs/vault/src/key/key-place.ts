import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CatenaError } from '@catena/events';
import { newKeyFile, parseKeyFile, type UnlockKey } from './unlock-key.ts';

/** Where a secret is: never the secret itself. */
export type SecretPlace = { readonly env: string } | { readonly file: string };

/** Where a key is, as a Repository definition names it (libs/schedule `EncryptionKey`). */
export type KeyPlace = (
  | { readonly passphrase: SecretPlace }
  | { readonly keyFile: { readonly path: string; readonly generate?: boolean | undefined } }
) & { readonly portable?: boolean | undefined };

/** A key that a definition names cannot be read. */
export class KeyNotReadableError extends CatenaError {
  constructor(what: string, reason: string, remedy: string) {
    super('vault.key-not-readable', `${what} cannot be read: ${reason}`, { remedy, details: { what } });
  }
}

/**
 * Reads a key from its place.
 * @throws KeyNotReadableError, MalformedKeyError
 */
export async function readKey(
  place: KeyPlace,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Extract<UnlockKey, { kind: 'keyFile' | 'passphrase' }>> {
  const key = await readSecret(place, environment);
  return place.portable === undefined ? key : { ...key, portable: place.portable };
}

async function readSecret(
  place: KeyPlace,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Extract<UnlockKey, { kind: 'keyFile' | 'passphrase' }>> {
  if ('keyFile' in place) {
    const { path } = place.keyFile;
    return parseKeyFile(await readSecretFile('the key file', path), path);
  }
  const secret = place.passphrase;
  if ('file' in secret) {
    const text = await readSecretFile('the passphrase file', secret.file);
    const passphrase = text.replace(/\r?\n$/, '');
    if (passphrase.trim() === '') {
      throw new KeyNotReadableError(
        `the passphrase file ${secret.file}`,
        'it is empty',
        'Write the passphrase into it; an empty one protects nothing.',
      );
    }
    return { kind: 'passphrase', passphrase, name: secret.file };
  }
  const passphrase = environment[secret.env];
  if (!passphrase) {
    throw new KeyNotReadableError(
      `the passphrase in the environment variable ${secret.env}`,
      'it is not set',
      'Set it where the mover runs, or name a file.',
    );
  }
  return { kind: 'passphrase', passphrase, name: secret.env };
}

/**
 * Makes a key file that is not there yet, readable by its owner only. Of two processes that do it at once one wins.
 * @returns whether this call made it.
 */
export async function generateKeyFile(path: string): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true });
  const unfinished = `${path}.${randomUUID()}.new`;
  await writeFile(unfinished, newKeyFile(), { mode: 0o600, flag: 'wx', flush: true });
  try {
    await link(unfinished, path);
    await syncFolder(dirname(path));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(unfinished);
  }
}

/** A key that a power cut takes away takes every backup with it. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readSecretFile(what: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new KeyNotReadableError(
      `${what} ${path}`,
      code ?? String(error),
      code === 'ENOENT' ? 'Bring the file back, or correct the path.' : 'Let this user read it.',
    );
  }
}
