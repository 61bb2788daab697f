import { randomBytes } from 'node:crypto';
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { EmbeddedError } from '../embedded-error.ts';
import { writeWhole } from '../write-whole.ts';

/** The folders and files of one home: everything one machine's platform keeps lies in here, with one exception (postgres/location.json). */
export interface HomeLayout {
  home: string;
  /** nats-server's configuration and streams: the event log. */
  nats: string;
  /** PostgreSQL's data, or `location.json` that says where it is. */
  postgres: string;
  /** Pid files, ports, endpoints, the lock: nothing of value when nothing runs. */
  run: string;
  /** Passwords, readable by the owner only. */
  secrets: string;
  logs: string;
}

/** The data folder: `CATENA_HOME`, else `.catena` in the current folder. Absolute. */
export function resolveHome(env: NodeJS.ProcessEnv = process.env, cwd: string = process.cwd()): string {
  return path.resolve(cwd, env['CATENA_HOME'] || '.catena');
}

export function homeLayout(home: string): HomeLayout {
  const inside = (name: string) => path.join(home, name);
  return {
    home,
    nats: inside('nats'),
    postgres: inside('postgres'),
    run: inside('run'),
    secrets: inside('secrets'),
    logs: inside('logs'),
  };
}

/** Makes the folders of a home where they are missing. Throws embedded.home-not-usable when it is another user's or not writable. */
export function prepareHome(home: string): HomeLayout {
  const layout = homeLayout(home);
  const asRoot = process.getuid?.() === 0;
  try {
    // Root drops PostgreSQL to another user, who has to get through; what is private has a mode of its own.
    mkdirSync(path.dirname(home), { recursive: true });
    if (!existsSync(home)) mkdirSync(home, { mode: asRoot ? 0o711 : 0o700 });
    const owner = statSync(home).uid;
    if (!asRoot && owner !== process.getuid?.()) {
      throw new EmbeddedError(
        'embedded.home-not-usable',
        `The data folder ${home} belongs to another user (uid ${owner})`,
        'Start as that user, or set CATENA_HOME to a folder of your own.',
        { home, owner },
      );
    }
    for (const folder of [layout.nats, layout.run, layout.secrets, layout.logs]) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    }
    chmodSync(layout.secrets, 0o700);
    accessSync(home, constants.W_OK);
  } catch (error) {
    if (error instanceof EmbeddedError) throw error;
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new EmbeddedError(
      'embedded.home-not-usable',
      `The data folder ${home} cannot be made or written (${reason})`,
      'Set CATENA_HOME to a folder that you can write.',
      { home },
      error,
    );
  }
  return layout;
}

/** The home's own id, made at its first start: servers carry it in their names, so that no other's is taken for ours. */
export function homeId(layout: HomeLayout): string {
  const file = path.join(layout.home, 'home.json');
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { id: string }).id;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const id = randomBytes(6).toString('hex');
  writeWhole(file, `${JSON.stringify({ id, format: 1, created: new Date().toISOString() })}\n`, 0o644);
  return id;
}
