import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { verifyLog } from '@catena/event-log';
import { compareTrees } from '@catena/sources';
import { everythingListed } from '../platform/everything-listed.ts';
import { openRuns, violations } from '../platform/invariants.ts';
import { scenarioFolder, TestPlatform } from '../platform/test-platform.ts';

const PATIENCE = 300_000;
const GOLDEN = fileURLToPath(new URL('../golden/data-folder', import.meta.url));
const VERSIONS = readdirSync(GOLDEN)
  .filter((name) => name.endsWith('.tar.gz'))
  .map((name) => name.slice(0, -'.tar.gz'.length));

/** What the catalog answered when the folder was recorded, and where it lay. */
interface Expected {
  readonly folder: string;
  readonly listed: Record<string, readonly Record<string, unknown>[]>;
}

describe.each(VERSIONS)('a data folder of version %s, without its PostgreSQL', (version) => {
  let platform: TestPlatform;
  let expected: Expected;

  beforeAll(async () => {
    expected = JSON.parse(readFileSync(path.join(GOLDEN, `${version}.expected.json`), 'utf8')) as Expected;
    const folder = scenarioFolder();
    const archive = path.join(GOLDEN, `${version}.tar.gz`);
    execFileSync('tar', ['--extract', `--file=${archive}`, `--directory=${folder}`, '--no-same-owner']);
    platform = await TestPlatform.start({ folder });
  }, PATIENCE);

  afterAll(() => platform[Symbol.asyncDispose](), PATIENCE);

  it('is started on: its whole log is read, and keeps the rules', async () => {
    expect((await verifyLog(platform.client.log)).problems).toEqual([]);
    const events = await platform.events();
    expect(violations(events)).toEqual([]);
    expect(openRuns(events)).toEqual([]);
  });

  it('is answered about as it was then', async () => {
    const listed = await everythingListed(platform);
    expect(Object.keys(expected.listed).length).toBeGreaterThan(0);
    for (const [question, answer] of Object.entries(expected.listed)) {
      expect(listed[question]).toHaveLength(answer.length);
      // Later versions may answer more of each thing, not less.
      expect(listed[question]).toMatchObject(answer);
    }
  });

  it(
    'gives back its backups, once it is told where the repository lies now',
    async () => {
      const moved = (definition: string) => definition.replaceAll(expected.folder, platform.folder);
      for (const { kind, name, labels, spec } of expected.listed['definitions'] ?? [])
        if (kind === 'Repository' || kind === 'Source')
          await platform.apply(
            moved(JSON.stringify({ apiVersion: 'catena/v1', kind, metadata: { name, labels }, spec })),
          );
      for (const backup of readdirSync(path.join(platform.folder, 'copies/letters'))) {
        const target = path.join(platform.place('restored'), backup);
        const outcome = await platform.restore('vault-letters', backup, target);
        expect(outcome.state).toMatch(/^completed/);
        const copy = path.join(platform.folder, 'copies/letters', backup);
        expect(await compareTrees(copy, target, { ignore: ['owner'] })).toEqual([]);
      }
    },
    PATIENCE,
  );

  it(
    'remembers what the source was: another file system at another place is not taken for it',
    async () => {
      expect(await platform.backup('letters', 'vault-letters', 'incremental')).toMatchObject({
        state: 'failed',
        failure: { code: 'chain.family-changed' },
      });
      expect((await platform.backups('letters')).length).toBe(expected.listed['backups']?.length);
    },
    PATIENCE,
  );

  it(
    'takes new backups into the old repository',
    async () => {
      const { source } = await platform.defineFiles({ source: 'new-letters', repository: 'unused' });
      platform.write(source, { 'a.txt': 'a' });
      for (const type of ['full', 'incremental'] as const)
        expect((await platform.backup('new-letters', 'vault-letters', type)).state).toBe('completed');
      expect(violations(await platform.events())).toEqual([]);
    },
    PATIENCE,
  );
});
