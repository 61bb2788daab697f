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
import { KnownRepositories } from './known-repository.ts';
import { RepositoryExchangedError, RepositoryGoneError } from './repository-gone-error.ts';

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

/**
 * Opens repositories as their definitions say, and makes those that were never there. One that the log knows and that is
 * not there is missed, not made anew.
 */
@Injectable()
export class RepositoryOpener {
  constructor(
    @Inject(Installation) private readonly installation: Installation,
    @Inject(KnownRepositories) private readonly known: KnownRepositories,
  ) {}

  /**
   * @throws RepositoryGoneError, RepositoryExchangedError, NotARepositoryError, KeyNotReadableError and what else the
   * vault refuses with.
   */
  async open(definition: DefinitionSnapshot): Promise<OpenedRepository> {
    const spec = readRepositorySpec(definition.spec);
    const keys = await readKeys(spec);
    return opened(await this.#openAsKnown(definition, spec, keys), spec, keys);
  }

  /** For what stands in clear: manifests. @throws RepositoryGoneError, RepositoryExchangedError, NotARepositoryError */
  async openWithoutKeys(definition: DefinitionSnapshot): Promise<Repository> {
    return await this.#openAsKnown(definition, readRepositorySpec(definition.spec), []);
  }

  async #openAsKnown(
    { uid, name }: DefinitionSnapshot,
    spec: RepositorySpec,
    keys: readonly UnlockKey[],
  ): Promise<Repository> {
    const { path } = spec.fs;
    const { initialised, id } = await this.known.load(uid);
    const repository = await openRepository(path, { keys }).catch((error: unknown) => {
      throw initialised && error instanceof NotARepositoryError ? new RepositoryGoneError(name, path) : error;
    });
    if (id === undefined || id === repository.id) return repository;
    await repository.close();
    throw new RepositoryExchangedError(name, path, id, repository.id);
  }

  /**
   * Opens it, or makes it where there never was one.
   * @throws CatenaError `repository.external` for one that is not ours; RepositoryGoneError, RepositoryExchangedError
   */
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
    if ((await this.known.load(definition.uid)).initialised)
      throw new RepositoryGoneError(definition.name, spec.fs.path);
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
  if (error instanceof RepositoryGoneError || error instanceof RepositoryExchangedError) return false;
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
    writable: spec.access !== 'external',
    news: {
      initialised: {
        format: repository.document.version,
        encrypted: repository.encrypted,
        id: repository.id,
      },
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
