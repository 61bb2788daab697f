import { collectionIdOf, digestId, type BackupType, type DefinitionSnapshot } from '@catena/events';
import type { SeededRandom } from './seeded-random.ts';

/** A definition as somebody applied it. */
export interface KnownDefinition {
  readonly kind: 'Source' | 'Repository' | 'Schedule';
  readonly name: string;
  snapshot: DefinitionSnapshot;
  /** How often it was made anew. */
  lives: number;
  deleted: boolean;
}

/** A schedule of one source into one repository. */
export interface KnownSchedule {
  readonly definition: KnownDefinition;
  readonly source: KnownDefinition;
  readonly repository: KnownDefinition;
  paused: boolean;
}

/** A backup that somebody may still ask about. */
export interface KnownBackup {
  readonly backup: string;
  readonly run: string;
  readonly type: BackupType;
  readonly copyOnly: boolean;
  readonly parent: string | undefined;
  readonly base: string | undefined;
  readonly chain: string;
  readonly position: string;
  readonly closure: readonly string[];
  readonly asOf: string;
  state: 'usable' | 'damaged' | 'missing' | 'expired' | 'condemned';
}

/** One source in one repository. */
export interface KnownCollection {
  readonly id: string;
  readonly source: KnownDefinition;
  readonly repository: KnownDefinition;
  /** The most recent ones, oldest first. */
  readonly backups: KnownBackup[];
  opened: boolean;
  position: number;
  plannedRun: string | undefined;
}

/** The state behind a plausible history, as far as it is needed to go on. */
export class World {
  readonly schedules: KnownSchedule[] = [];
  readonly definitions: KnownDefinition[] = [];
  readonly collections = new Map<string, KnownCollection>();

  constructor(seed: number, random: SeededRandom, sourceCount: number) {
    const repositories = ['primary', 'offsite'].map((name) => this.#define('Repository', name, seed));
    for (let i = 0; i < sourceCount; i++) {
      const source = this.#define('Source', `files-${i}`, seed);
      const repository = random.pick(repositories);
      if (repository === undefined) continue;
      const definition = this.#define('Schedule', `nightly-${i}`, seed);
      this.schedules.push({ definition, source, repository, paused: false });
    }
  }

  collectionOf(source: KnownDefinition, repository: KnownDefinition): KnownCollection {
    const id = collectionIdOf(source.snapshot.uid, repository.snapshot.uid);
    const known = this.collections.get(id);
    if (known !== undefined) return known;
    const collection: KnownCollection = {
      ...{ id, source, repository, backups: [] },
      ...{ opened: false, position: 0, plannedRun: undefined },
    };
    this.collections.set(id, collection);
    return collection;
  }

  #define(kind: KnownDefinition['kind'], name: string, seed: number): KnownDefinition {
    const uid = digestId('uid', String(seed), kind, name);
    const snapshot = { uid, name, generation: 1, spec: specOf(kind, name) };
    const definition: KnownDefinition = { kind, name, snapshot, lives: 1, deleted: false };
    this.definitions.push(definition);
    return definition;
  }
}

/** A spec of usual size. */
export function specOf(kind: KnownDefinition['kind'], name: string): Record<string, unknown> {
  switch (kind) {
    case 'Source':
      return {
        driver: 'files',
        files: {
          path: `/srv/${name}`,
          include: ['**'],
          exclude: ['**/*.tmp', '**/node_modules'],
          oneFileSystem: true,
        },
      };
    case 'Repository':
      return {
        store: 'fs',
        fs: { path: `/backup/${name}` },
        access: 'readWrite',
        encryption: { keys: [{ passphrase: { file: `/etc/catena/${name}.key` } }] },
      };
    case 'Schedule':
      return {
        timeZone: 'Europe/Berlin',
        firstRun: 'now',
        full: '@weekly',
        incremental: '@hourly',
        retention: {},
      };
  }
}
