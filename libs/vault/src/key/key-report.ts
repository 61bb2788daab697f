import type { Manifest } from '../port/manifest.ts';
import type { KeyringDocument } from './keyring-document.ts';

/** Who can open a collection, and what with: from what stands in clear. */
export interface KeyReport {
  readonly collection: string;
  /** Absent before the first encrypted backup. */
  readonly slots: readonly {
    readonly id: string;
    readonly kind: 'passphrase' | 'keyFile' | 'command' | 'kms';
    readonly name: string;
    readonly portable: boolean;
    readonly createdAt: string;
  }[];
  readonly dataKeys: readonly DataKeyReport[];
}

export interface DataKeyReport {
  readonly id: string;
  /** `active`: new objects are sealed with it. `lost`: backups need it and no keyring holds it. */
  readonly state: 'active' | 'former' | 'lost';
  readonly createdAt?: string;
  /** Ids of the backups that cannot be read without it. */
  readonly backups: readonly string[];
}

/** @param manifests of every backup that can be read */
export function keyReport(
  collection: string,
  keyring: KeyringDocument | undefined,
  manifests: readonly Manifest[],
): KeyReport {
  const opens = new Map<string, string[]>();
  for (const { backup, keys } of manifests)
    for (const key of keys) opens.set(key, [...(opens.get(key) ?? []), backup]);
  const held = (keyring?.keys ?? []).filter(({ role }) => role === 'data');
  const lost = [...opens.keys()].filter((id) => !held.some((key) => key.id === id));
  return {
    collection,
    slots: (keyring?.slots ?? []).map(({ id, kind, name, portable, createdAt }) => ({
      ...{ id, kind, name, portable, createdAt },
    })),
    dataKeys: [
      ...held.map(({ id, createdAt }): DataKeyReport => ({
        id,
        state: id === keyring?.active ? 'active' : 'former',
        createdAt,
        backups: opens.get(id) ?? [],
      })),
      ...lost.map((id): DataKeyReport => ({ id, state: 'lost', backups: opens.get(id) ?? [] })),
    ],
  };
}
