import { spawn } from 'node:child_process';

/**
 * Ends a throw-away server and deletes its folder when this process is gone without having done so, killed or crashed:
 * a shell of its own session waits for its input to close. Returns how to call it off.
 */
export function holdLifeline(pidFile: string, folders: readonly string[]): () => void {
  const script =
    'pidfile=$1; shift; read -r word; [ "$word" = done ] && exit 0; ' +
    'read -r pid rest <"$pidfile" && kill -9 "$pid"; sleep 1; rm -rf -- "$@"';
  const shell = spawn('/bin/sh', ['-c', script, 'lifeline', pidFile, ...folders], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // It ends on its own after "done"; a broken pipe then means just that.
  shell.stdin.on('error', () => undefined);
  shell.unref();
  (shell.stdin as unknown as { unref?: () => void }).unref?.();
  return () => shell.stdin.end('done\n');
}
