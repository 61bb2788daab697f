import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { NotPossibleError } from '../invocation.ts';

const LOOK_EVERY_MILLISECONDS = 100;
const PATIENCE_MILLISECONDS = 30_000;
const END_MILLISECONDS = 5_000;

/** What the kernel lists: spaces and the like stand there in octal. */
function isMounted(folder: string): boolean {
  const listed = folder.replaceAll(
    /[\s\\]/g,
    (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .some((line) => line.split(' ')[1] === listed);
}

/** rclone's own way to write a password down; it is no secret from whoever may read the environment of the process. */
function obscured(password: string): string {
  const { error, status, stdout } = spawnSync('rclone', ['obscure', '-'], {
    input: password,
    encoding: 'utf8',
  });
  if (error === undefined && status === 0) return stdout.trim();
  throw new NotPossibleError(
    'Mounting is done by rclone, which is not installed here.',
    'Install it (Debian: apt install rclone fuse3), or use "catena serve", which needs neither.',
  );
}

/** A WebDAV drive as a folder of this machine, by rclone and FUSE, for as long as the process lives. */
export class RcloneMount {
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
  }

  /** @throws NotPossibleError when rclone is not there or cannot mount */
  static async start(url: string, password: string, folder: string): Promise<RcloneMount> {
    const env = {
      ...process.env,
      RCLONE_WEBDAV_URL: url,
      RCLONE_WEBDAV_VENDOR: 'other',
      RCLONE_WEBDAV_USER: 'catena',
      RCLONE_WEBDAV_PASS: obscured(password),
      RCLONE_CONFIG: '/dev/null',
    };
    const args = [
      'mount',
      ':webdav:',
      folder,
      '--read-only',
      '--dir-cache-time',
      '10s',
      '--vfs-cache-mode',
      'off',
    ];
    // A Ctrl-C goes to all processes of the terminal; this one is ended when its turn comes.
    const child = spawn('rclone', args, { env, detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said = `${said}${text}`.slice(-2000)));
    const mount = new RcloneMount(child, folder);
    for (let waited = 0; !isMounted(folder); waited += LOOK_EVERY_MILLISECONDS) {
      if (mount.#isGone || waited > PATIENCE_MILLISECONDS) {
        await mount.end();
        throw new NotPossibleError(
          `${folder} cannot be mounted: ${said.trim().split('\n').at(-1) ?? ''}`,
          'It takes FUSE (/dev/fuse and fusermount) and an empty folder; "catena serve" needs neither.',
        );
      }
      await delay(LOOK_EVERY_MILLISECONDS);
    }
    return mount;
  }

  get #isGone(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Until somebody unmounts it, or the signal comes. */
  async untilGone(signal: AbortSignal): Promise<void> {
    while (!this.#isGone && !signal.aborted) {
      const waiting = new AbortController();
      const either = AbortSignal.any([signal, waiting.signal]);
      const gone = () => waiting.abort();
      this.#child.once('exit', gone);
      if (!either.aborted) await once(either, 'abort');
      this.#child.off('exit', gone);
    }
  }

  /** Unmounts. */
  async end(): Promise<void> {
    if (this.#isGone) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const impatient = setTimeout(() => {
      // Somebody is in the folder: it goes away when they leave.
      spawnSync('fusermount', ['-uz', this.#folder]);
      this.#child.kill('SIGKILL');
    }, END_MILLISECONDS);
    await exited;
    clearTimeout(impatient);
  }
}
