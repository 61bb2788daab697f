import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { schedulerRequests } from '@catena/events';
import { command, type Operator } from '../platform/operator.ts';
import { CatenaCommand } from './catena-command.ts';

/** Lets something of everything happen that a log tells and a catalog keeps, on a platform that knows nothing yet. */
export async function tellHistory(platform: Operator): Promise<void> {
  const { client } = platform;
  const catena = new CatenaCommand(platform.home);
  const place = await platform.defineFiles({ source: 'letters', repository: 'vault' });
  platform.write(place.source, {
    'a.txt': 'one\n',
    'b/c.txt': 'two\n',
    'large.bin': Buffer.alloc(300_000, 7),
  });
  await platform.apply(schedule('@yearly'));
  const first = await platform.event('run.completed');
  await client.ask(schedulerRequests.pauseSchedule, { ...command(), schedule: 'often', reason: 'a rest' });
  platform.write(place.source, { 'a.txt': 'one more\n' });
  await completes(platform.backup('letters', 'vault', 'incremental'));
  platform.write(place.source, { 'd.txt': 'three\n' });
  await completes(platform.backup('letters', 'vault', 'differential'));
  await completes(platform.backup('letters', 'vault', 'full', true));
  // Refused, failed, cancelled.
  await platform.backup('letters', 'vault', 'incremental', true);
  const target = path.join(platform.folder, 'restored');
  await completes(platform.restore('vault', first.data.backup ?? '', target));
  platform.write(target, { 'a.txt': 'not to be overwritten\n' });
  await platform.restore('vault', first.data.backup ?? '', target);
  await catena.ask('key', 'export', 'vault', '--to', path.join(platform.folder, 'usb.key'));
  await client.ask(schedulerRequests.resumeSchedule, { ...command(), schedule: 'often' });
  await platform.apply(schedule('0 0 2 1 *'));
  damageCopyOnly(place.repository);
  const verified = await catena.run('verify', '--repository', 'vault', '--json');
  if (verified.code !== 7) throw new Error(`the damage was not found:\n${verified.out}${verified.err}`);
  await catena.ask('catalog', 'rescan', 'vault');
  await catena.ask('delete', 'schedule', 'often');
}

async function completes(run: ReturnType<Operator['backup']>): Promise<void> {
  const { state, event } = await run;
  if (state !== 'completed') throw new Error(`${event.aggregate.id} ended ${state}`);
}

function schedule(full: string): string {
  return `apiVersion: catena/v1
kind: Schedule
metadata: {name: often}
spec: {source: letters, repository: vault, firstRun: now, full: '${full}', copyOnly: '@yearly'}
`;
}

/** One bit in the pack of the copy-only full, on which nothing is built. */
function damageCopyOnly(repository: string): void {
  const pack = readdirSync(repository, { recursive: true, encoding: 'utf8' }).find(
    (name) => name.includes('copy-only') && path.basename(name).startsWith('pack-'),
  );
  if (pack === undefined) throw new Error('there is no pack of a copy-only full');
  const file = path.join(repository, pack);
  const bytes = readFileSync(file);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  rmSync(file);
  writeFileSync(file, bytes);
}
