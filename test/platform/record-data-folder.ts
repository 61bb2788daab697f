/**
 * Records a data folder as this version leaves it, for later versions to start on: `node --conditions=@catena/source
 * test/platform/record-data-folder.ts` writes `test/golden/data-folder/<version>.tar.gz` and, beside it, what the
 * catalog answered. To be run once for each version that is released; what is there is never recorded again.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { backupIdOfRun, catalogRequests, schedulerRequests } from '@catena/events';
import { everythingListed } from './everything-listed.ts';
import { command } from './operator.ts';
import { flawsOf } from './proof.ts';
import { ProtectedTree } from './protected-tree.ts';
import { TestPlatform } from './test-platform.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
const recorded = path.join(root, 'test/golden/data-folder', version);
if (existsSync(`${recorded}.tar.gz`))
  throw new Error(`${recorded}.tar.gz is there: it is never recorded again.`);

const platform = await TestPlatform.start();
const tree = await ProtectedTree.define(platform, 'letters', { megabytes: 0.025, noteBytes: 100 });

async function backedUp(type: 'full' | 'differential' | 'incremental', copyOnly = false): Promise<string> {
  tree.edit();
  const outcome = await platform.backup('letters', tree.repository, type, copyOnly);
  if (outcome.event.type !== 'run.completed') throw new Error(`a backup ended ${outcome.state}`);
  return outcome.event.data.backup ?? '';
}

await platform.apply(`apiVersion: catena/v1
kind: Schedule
metadata: {name: nightly, labels: {kept: by-hand}}
spec: {source: letters, repository: ${tree.repository}, timeZone: Europe/Berlin, firstRun: now, full: "@yearly", incremental: "@monthly"}
---
apiVersion: catena/v1
kind: Subscription
metadata: {name: listener}
spec: {events: [run.failed], to: {command: ["true"]}}
`);
const { data } = await platform.event('schedule.fired');
await platform.outcome(data.run);
tree.remember(backupIdOfRun(data.run));
// A schedule that is not paused would be due again when the folder is started on, years later.
await platform.client.ask(schedulerRequests.pauseSchedule, { ...command(), schedule: 'nightly' });
await backedUp('incremental');
tree.remember(await backedUp('incremental'));
tree.remember(await backedUp('differential'));
await backedUp('full');
await backedUp('incremental');
tree.remember(await backedUp('full', true));
const { run } = await platform.client.ask(schedulerRequests.requestVerify, {
  ...command(),
  repository: tree.repository,
  depth: 'checksums',
});
await platform.outcome(run);
await platform.restore(tree.repository, tree.remembered.at(-1) ?? '', tree.freshTarget());
await platform.restore(tree.repository, 'bkp-there-is-no-such-backup', tree.freshTarget());
const [key] = (await platform.client.ask(catalogRequests.listKeys, {})).items;
if (key === undefined) throw new Error('no key was generated');
await platform.client.ask(catalogRequests.keyExported, { ...command(), ...key });

const flaws = await flawsOf(platform, [tree]);
if (flaws.length > 0) throw new Error(flaws.join('\n'));
const answers = { folder: platform.folder, listed: await everythingListed(platform) };
await platform.stop();

execFileSync('tar', [
  ...['--create', '--gzip', '--format=posix', `--file=${recorded}.tar.gz`, `--directory=${platform.folder}`],
  ...['--exclude=home/logs', '--exclude=home/run', '--exclude=home/postgres', '--exclude=restored'],
  ...['home', 'repositories', 'sources', 'copies'],
]);
writeFileSync(`${recorded}.expected.json`, `${JSON.stringify(answers, undefined, 1)}\n`);
rmSync(platform.folder, { recursive: true, force: true });
