import { spawn } from 'node:child_process';

/**
 * Ends the processes on record in a run folder and deletes folders when this process is gone without having done so,
 * killed or crashed: a shell of its own session waits for its input to close. Returns how to call it off.
 */
export function holdLifeline(runFolder: string, folders: readonly string[]): () => void {
  const script =
    'run=$1; shift; read -r word; [ "$word" = done ] && exit 0; ' +
    'for file in "$run"/*.pid; do read -r pid rest <"$file" && kill -9 "$pid"; done; sleep 1; rm -rf -- "$@"';
  const shell = spawn('/bin/sh', ['-c', script, 'lifeline', runFolder, ...folders], {
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
