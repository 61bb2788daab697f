import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { TestNats } from '@catena/embedded/testing';
import { connectNats } from '../jetstream/connect-nats.ts';
import { openEventLog, type EventLogOptions } from '../jetstream/jetstream-event-log.ts';
import type { NatsLink } from '../jetstream/nats-link.ts';
import { ensureStreams } from '../jetstream/set-up-streams.ts';
import type { EventLog } from '../port/event-log.ts';
import { withPatience } from '../jetstream/with-patience.ts';
import { wait } from '../wait.ts';

/** Who logs in to a test server. */
export type TestUser = keyof TestNats['users'] | 'admin';

/** Empty logs on one test server: the streams are deleted, as only its administrator can, and set up again. */
export class FreshLogs {
  readonly #nats: TestNats;
  readonly #links = new Map<TestUser, Promise<NatsLink>>();

  constructor(nats: TestNats) {
    this.#nats = nats;
  }

  /** One connection for each user. */
  link(user: TestUser): Promise<NatsLink> {
    const there = this.#links.get(user) ?? connectAs(this.#nats, user);
    this.#links.set(user, there);
    return there;
  }

  async reset(): Promise<void> {
    const admin = await this.link('admin');
    const { streams } = await admin.manager();
    await withPatience(admin, 'deleting the streams', async () => {
      for (const name of await streams.names().next()) await streams.delete(name);
    });
    // The server answers first and removes the files of a deleted stream later; a new one would lose its own with them.
    while ((await foldersOf(this.#nats.folder)).some((folder) => /[/]streams[/]/.test(folder))) await wait(5);
    await ensureStreams(await this.link('operator'));
  }

  /** An empty log as a service has it. */
  async open(options: EventLogOptions = {}): Promise<EventLog> {
    await this.reset();
    return await openEventLog(await this.link('scheduler'), options);
  }

  async close(): Promise<void> {
    for (const link of this.#links.values()) await (await link).close();
  }
}

/** A connection of its own. */
export function connectAs(nats: TestNats, user: TestUser, url: string = nats.url): Promise<NatsLink> {
  const login = user === 'admin' ? nats.admin : nats.users[user];
  return connectNats({ url, ...login, name: `test:${user}`, patienceMilliseconds: 20_000 });
}

async function foldersOf(root: string): Promise<string[]> {
  try {
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => path.join(entry.parentPath, entry.name));
  } catch (thrown) {
    // A folder went away while its parent was listed: look again.
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return await foldersOf(root);
    throw thrown;
  }
}
