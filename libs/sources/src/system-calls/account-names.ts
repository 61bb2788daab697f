/** Names of users and groups from the system's own databases (NSS, so directory services too), remembered. */
import { libc, recordAt } from './libc.ts';

/** Names and ids of one run. A new one per run, because accounts change while a service lives for months. */
export class AccountNames {
  readonly #users = new Map<number, string | undefined>();
  readonly #groups = new Map<number, string | undefined>();
  readonly #userIds = new Map<string, number | undefined>();
  readonly #groupIds = new Map<string, number | undefined>();

  userName(uid: number): string | undefined {
    return remembered(this.#users, uid, () => {
      const record = recordAt<{ name: string }>(libc().getpwuid(uid), libc().passwd);
      return record?.name;
    });
  }

  groupName(gid: number): string | undefined {
    return remembered(this.#groups, gid, () => {
      const record = recordAt<{ name: string }>(libc().getgrgid(gid), libc().group);
      return record?.name;
    });
  }

  userId(name: string): number | undefined {
    return remembered(this.#userIds, name, () => {
      const record = recordAt<{ uid: number }>(libc().getpwnam(name), libc().passwd);
      return record?.uid;
    });
  }

  groupId(name: string): number | undefined {
    return remembered(this.#groupIds, name, () => {
      const record = recordAt<{ gid: number }>(libc().getgrnam(name), libc().group);
      return record?.gid;
    });
  }
}

function remembered<K, V>(memory: Map<K, V | undefined>, key: K, look: () => V | undefined): V | undefined {
  if (!memory.has(key)) memory.set(key, look());
  return memory.get(key);
}
