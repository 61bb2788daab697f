import { createHash } from 'node:crypto';
import { CatenaError, type DefinitionSnapshot } from '@catena/events';
import { readRepositorySpec, type RepositorySpec } from '@catena/schedule';
import {
  generateKeyFile,
  initialiseRepository,
  NotARepositoryError,
  openRepository,
  readKey,
  RepositoryExistsError,
  type Repository,
  type UnlockKey,
} from '@catena/vault';
import { Inject, Injectable } from '@nestjs/common';
import type { WorkDone } from '../execution/run-executor.ts';
import { Installation } from './installation.ts';

/** A repository at hand; the caller closes it. */
export interface OpenedRepository {
  readonly repository: Repository;
  /** Folder, when it is one on this machine. */
  readonly folder: string;
  /** Ours to write to, not external. */
  readonly writable: boolean;
  /** What the catalog is to know of it; said with every report, because the first one may never arrive. */
  readonly news: Pick<WorkDone, 'initialised' | 'generatedKey'>;
}

/** Opens repositories as their definitions say, and makes those that are not there yet. */
@Injectable()
export class RepositoryOpener {
  constructor(@Inject(Installation) private readonly installation: Installation) {}

  /** @throws NotARepositoryError, KeyNotReadableError and what else the vault refuses with. */
  async open(definition: DefinitionSnapshot): Promise<OpenedRepository> {
    const spec = readRepositorySpec(definition.spec);
    const keys = await readKeys(spec);
    return opened(await openRepository(spec.fs.path, { keys }), spec, keys);
  }

  /** For what stands in clear: manifests. */
  async openWithoutKeys(definition: DefinitionSnapshot): Promise<Repository> {
    return await openRepository(readRepositorySpec(definition.spec).fs.path);
  }

  /** Opens it, or makes it where there is none. @throws CatenaError `repository.external` for one that is not ours. */
  async openForWriting(definition: DefinitionSnapshot): Promise<OpenedRepository> {
    const spec = readRepositorySpec(definition.spec);
    if (spec.access === 'external') {
      throw new CatenaError('repository.external', `The repository ${definition.name} is external.`, {
        remedy: 'Back up to a repository with access: readWrite.',
      });
    }
    try {
      return await this.open(definition);
    } catch (error) {
      if (!(await isMissing(spec, error))) throw error;
    }
    return await this.#make(spec);
  }

  /** Keys come first: a repository whose key nobody has must never be. */
  async #make(spec: RepositorySpec): Promise<OpenedRepository> {
    for (const key of spec.keys)
      if ('keyFile' in key && key.keyFile.generate) await generateKeyFile(key.keyFile.path);
    const keys = await readKeys(spec);
    try {
      const made = await initialiseRepository(spec.fs.path, {
        keys,
        installation: await this.installation.id(),
      });
      return opened(made, spec, keys);
    } catch (error) {
      if (!(error instanceof RepositoryExistsError)) throw error;
      return opened(await openRepository(spec.fs.path, { keys }), spec, keys);
    }
  }
}

/** A key file that is missing matters only when there is a repository that it opens. */
async function isMissing(spec: RepositorySpec, error: unknown): Promise<boolean> {
  if (error instanceof NotARepositoryError) return true;
  try {
    const there = await openRepository(spec.fs.path);
    await there.close();
    return false;
  } catch (opening) {
    if (opening instanceof NotARepositoryError) return true;
    throw opening;
  }
}

function readKeys(spec: RepositorySpec): Promise<UnlockKey[]> {
  return Promise.all(spec.keys.map((key) => readKey(key)));
}

function opened(repository: Repository, spec: RepositorySpec, keys: readonly UnlockKey[]): OpenedRepository {
  const generated = spec.keys.findIndex((key) => 'keyFile' in key && key.keyFile.generate);
  const place = spec.keys[generated];
  const key = keys[generated];
  return {
    repository,
    folder: spec.fs.path,
    writable: spec.access === 'readWrite',
    news: {
      initialised: { format: repository.document.version, encrypted: repository.encrypted },
      ...(place !== undefined && 'keyFile' in place && key?.kind === 'keyFile'
        ? { generatedKey: { keyId: fingerprintOf(key.secret), path: place.keyFile.path } }
        : {}),
    },
  };
}

/** Names a key without telling it: 32 random bytes cannot be found from their hash. */
function fingerprintOf(secret: Uint8Array): string {
  return createHash('sha256').update('catena key file').update(secret).digest('hex').slice(0, 16);
}
