import { describe, expect, it } from '@jest/globals';
import { docsAndVault, documentText, parseText, scheduleText } from '../testing/definition-texts.ts';
import { problemsOf, refuses } from '../testing/refusals.ts';
import { parseDefinitions } from './parse-definitions.ts';
import { DefinitionsRefusedError, describeProblem } from './problem.ts';
import type { KnownDefinition } from './rules/world.ts';

describe('definitions whose references, places or secrets cannot be', () => {
  refuses([
    [
      '3.10 an unknown source',
      scheduleText('full: "@daily"').replace('docs', 'dosc'),
      'definition.reference',
      '5:11',
      /"dosc", which is not defined, expected the name of a Source. Did you mean "docs"/,
    ],
    [
      '3.10 an unknown repository',
      scheduleText('full: "@daily"').replace('vault', 'elsewhere'),
      'definition.reference',
      '6:15',
      /expected the name of a Repository. Define/,
    ],
    [
      '3.10 an unknown source of a subscription',
      documentText('Subscription', 'events: [run.failed]\nsources: [docs, dcs]\nto: {command: [x]}'),
      'definition.reference',
      '6:19',
      /spec\.sources\[1\].*Did you mean "docs"/,
    ],
    [
      '7 a secret in clear',
      documentText('Repository', 'store: fs\nfs: {path: /b}\nencryption: {keys: [{passphrase: hunter2}]}'),
      'definition.secret-in-clear',
      '7:36',
      /found a text, expected a reference/,
    ],
    [
      '7 a secret in an address',
      documentText(
        'Subscription',
        'events: [run.failed]\nto: {webhook: {url: "https://ann:hunter2@example.org"}}',
      ),
      'definition.secret-in-clear',
      '6:23',
      /without user and password/,
    ],
    [
      '7 a signature secret in clear',
      documentText(
        'Subscription',
        'events: [run.failed]\nto: {webhook: {url: "https://example.org", secret: hunter2}}',
      ),
      'definition.secret-in-clear',
      '6:54',
      /expected a reference/,
    ],
    [
      '7 a repository inside its own source',
      `${documentText('Repository', 'store: fs\nfs: {path: /srv/docs/backup}').replace('name: it', 'name: vault')}---\n${scheduleText('full: "@daily"')}`,
      'definition.repository-inside-source',
      '6:14',
      /inside its own source "docs".*outside of \/srv\/docs/,
    ],
    [
      '1.5 the log of a source that keeps none',
      `${documentText('Repository', 'store: fs\nfs: {path: /srv/vault}').replace('name: it', 'name: vault')}---\n${scheduleText('full: "@daily"\nlog: "@hourly"')}`,
      'definition.no-log',
      '15:3',
      /a log cadence for "docs", whose driver is files/,
    ],
    [
      '12 a relative home of somebody else',
      documentText('Source', 'driver: files\nfiles: {path: ~bob/docs}'),
      'definition.path',
      '6:17',
      /Nothing else is replaced/,
    ],
    [
      '12 a variable that is not replaced',
      documentText('Source', 'driver: files\nfiles: {path: $HOME/docs}'),
      'definition.path',
      '6:17',
      /\.\/ before it/,
    ],
  ]);

  it('rule 7: no message and no detail carries a secret', () => {
    const secrets = [
      documentText(
        'Repository',
        'store: fs\nfs: {path: /b}\nencryption: {keys: [hunter2, {passphrase: hunter2}, {passphrase: {env: "hunter2!"}}]}',
      ),
      documentText('Repository', 'store: fs\nfs: {path: /b}\nencryption: hunter2'),
      documentText(
        'Subscription',
        'events: [run.failed]\nto: {webhook: {url: "ftp://a:hunter2@x", secret: {env: [hunter2]}}}',
      ),
    ];
    for (const text of secrets) {
      const parsed = parseText(text);
      if (parsed.ok) throw new Error('It was accepted.');
      expect(parsed.problems.length).toBeGreaterThan(0);
      const error = new DefinitionsRefusedError(parsed.problems);
      expect(JSON.stringify(error.describe())).not.toContain('hunter2');
    }
  });

  it('rule 7: a change of a source is refused when it comes to hold a repository that a known schedule writes to', () => {
    const nightly: KnownDefinition = {
      kind: 'Schedule',
      name: 'nightly',
      spec: { source: 'docs', repository: 'vault' },
    };
    const text = documentText('Source', 'driver: files\nfiles: {path: /}').replace('name: it', 'name: docs');
    expect(problemsOf(text, [...docsAndVault, nightly])).toEqual([
      expect.stringMatching(/^a\.yaml:6:17: spec\.files\.path: .*inside its own source/),
    ]);
  });

  it('a path that needs an anchor nobody gave is refused', () => {
    const file = { name: 'a.yaml', text: documentText('Source', 'driver: files\nfiles: {path: docs}') };
    const parsed = parseDefinitions([file], []);
    expect(parsed.ok ? [] : parsed.problems.map(describeProblem)).toEqual([
      expect.stringContaining('expected an absolute path'),
    ]);
  });

  describe('a folder of pushed log', () => {
    const source = (name: string, spool: string): KnownDefinition => ({
      kind: 'Source',
      name,
      spec: { driver: 'postgres', postgres: { host: 'db', log: { hold: 'push', spool } } },
    });
    const schedule = (name: string, from: string, repository: string): KnownDefinition => ({
      kind: 'Schedule',
      name,
      spec: { source: from, repository, full: '@daily', log: '@hourly' },
    });
    const vaults = ['vault', 'cellar'].map((name): KnownDefinition => ({
      kind: 'Repository',
      name,
      spec: { store: 'fs', fs: { path: `/${name}` } },
    }));
    const here = [...vaults, source('docs', '/wal'), source('copy', '/wal'), source('elsewhere', '/wal/2')];
    const text = scheduleText('full: "@daily"\nlog: "@hourly"');
    const shared =
      /^a\.yaml:8:8: spec\.log: found that the schedules "first" and "it" take log from the folder \/wal/;

    it.each([
      ['another repository', schedule('first', 'docs', 'cellar')],
      ['another source', schedule('first', 'copy', 'vault')],
    ])('is refused to a schedule when one into %s takes from it', (_, first) => {
      expect(problemsOf(text, [...here, first])).toEqual([expect.stringMatching(shared)]);
    });

    it.each([
      ['goes to the same place', schedule('first', 'docs', 'vault')],
      ['takes from another folder', schedule('first', 'elsewhere', 'cellar')],
    ])('may be taken from when another schedule %s', (_, first) => {
      expect(problemsOf(text, [...here, first])).toEqual([]);
    });
  });
});
