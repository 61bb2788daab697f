/** Names of users and groups from the system's own databases (NSS, so directory services too), remembered. */
import { accountAt, libc } from './libc.ts';

/** Names and ids of one run. A new one per run, because accounts change while a service lives for months. */
export class AccountNames {
  readonly #users = new Map<number, string | undefined>();
  readonly #groups = new Map<number, string | undefined>();
  readonly #userIds = new Map<string, number | undefined>();
  readonly #groupIds = new Map<string, number | undefined>();

  userName(uid: number): string | undefined {
    return remembered(this.#users, uid, () => accountAt(libc().getpwuid(uid), libc().passwd)?.name);
  }

  groupName(gid: number): string | undefined {
    return remembered(this.#groups, gid, () => accountAt(libc().getgrgid(gid), libc().group)?.name);
  }

  userId(name: string): number | undefined {
    return remembered(this.#userIds, name, () => accountAt(libc().getpwnam(name), libc().passwd)?.uid);
  }

  groupId(name: string): number | undefined {
    return remembered(this.#groupIds, name, () => accountAt(libc().getgrnam(name), libc().group)?.gid);
  }
}

function remembered<K, V>(memory: Map<K, V | undefined>, key: K, look: () => V | undefined): V | undefined {
  if (!memory.has(key)) memory.set(key, look());
  return memory.get(key);
}
