/**
 * Records a golden log: `node test/scenarios/record-golden-log.ts v1`. Done once for each version that is released, and
 * whenever events of a new kind are worth keeping; a recorded log is never changed afterwards.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { ReadStore, READ_MODEL_VERSION } from '@catena/read-store';
import { TestPlatform } from '../platform/test-platform.ts';
import { answersOf, servedLists } from './catalog-answers.ts';
import { CatenaCommand } from './catena-command.ts';
import { GoldenLog, type Expected } from './golden-log.ts';
import { tellHistory } from './telling-history.ts';

const [version] = process.argv.slice(2);
if (version === undefined) throw new Error('Say which version: v1, v2, …');
const golden = new GoldenLog(version);
mkdirSync(golden.folder, { recursive: true });

const platform = await TestPlatform.start();
try {
  await tellHistory(platform);
  const lists = servedLists(platform.client);
  const events = await platform.events();
  await platform.backups();
  const completed = events.filter(({ type }) => type === 'run.completed');
  // At the beginning, on the way, and near the end: enough to tell that times are kept.
  const times = [0.1, 0.5, 0.9].flatMap(
    (share) => completed[Math.floor(share * completed.length)]?.recordedAt ?? [],
  );
  const store = await ReadStore.open({ url: platform.platform.endpoints.postgres.url });
  const expected: Expected = {
    readModelVersion: READ_MODEL_VERSION,
    digest: await store.digest(),
    answers: await answersOf(lists),
    asOf: await Promise.all(times.map(async (at) => ({ at, answers: await answersOf(lists, at) }))),
  };
  await store.close();
  rmSync(golden.logFile, { force: true });
  await new CatenaCommand(platform.home).ask('log', 'export', golden.logFile);
  writeFileSync(golden.expectedFile, `${JSON.stringify(expected)}\n`);
  process.stdout.write(`${events.length} events are in ${golden.folder}.\n`);
} finally {
  await platform[Symbol.asyncDispose]();
}
