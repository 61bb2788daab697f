import { describe, expect, it } from '@jest/globals';
import { docsAndVault, documentText, parseText, scheduleText } from '../testing/definition-texts.ts';
import { parseDefinitions, type DefinitionFile } from './parse-definitions.ts';
import { DefinitionsRefusedError, describeProblem, type ProblemCode } from './problem.ts';
import type { KnownDefinition } from './rules/world.ts';

function problemsOf(text: string, known: readonly KnownDefinition[] = []): string[] {
  const parsed = parseText(text, known);
  return parsed.ok ? [] : parsed.problems.map(describeProblem);
}

/** rule, text, code, place, what must be said */
const refusals: [string, string, ProblemCode, string, RegExp][] = [
  [
    '3.10 an unknown field',
    documentText('Source', 'driver: files\nfiles: {path: /a, exlude: [b]}'),
    'definition.unknown-field',
    '6:21',
    /spec\.files\.exlude: found the field "exlude".*Did you mean "exclude"/,
  ],
  [
    '3.10 an unknown kind',
    documentText('Scedule', 'a: 1'),
    'definition.shape',
    '2:7',
    /found "Scedule".*Did you mean "Schedule"/,
  ],
  [
    '3.10 an unknown driver',
    documentText('Source', 'driver: file\nfiles: {path: /a}'),
    'definition.shape',
    '5:11',
    /found "file", expected one of files, image, postgres/,
  ],
  [
    '3.10 no driver',
    documentText('Source', 'files: {path: /a}'),
    'definition.missing-field',
    '4:1',
    /spec\.driver: found nothing, expected one of files, image, postgres/,
  ],
  [
    '3.10 a missing field',
    documentText('Source', 'driver: files\nfiles: {exclude: [b]}'),
    'definition.missing-field',
    '6:3',
    /spec\.files\.path: found nothing, expected a path/,
  ],
  [
    '3.10 another version',
    documentText('Source', 'driver: files\nfiles: {path: /a}').replace('catena/v1', 'catena/v2'),
    'definition.shape',
    '1:13',
    /expected catena\/v1/,
  ],
  [
    '3.10 a name that is none',
    documentText('Source', 'driver: files\nfiles: {path: /a}').replace('{name: it}', '{name: It_is}'),
    'definition.shape',
    '3:18',
    /found "It_is", expected a name of lower-case/,
  ],
  [
    '3.10 a label that is no text',
    documentText('Source', 'driver: files\nfiles: {path: /a}').replace(
      'name: it',
      'name: it, labels: {a: 1}',
    ),
    'definition.shape',
    '3:34',
    /metadata\.labels\.a: found 1, expected a text/,
  ],
  ['3.10 a bad cron', scheduleText('full: "61 * * * *"'), 'definition.cron', '7:10', /"61" for the minute/],
  [
    '3.10 a bad cron, pointed at within the text',
    scheduleText("full: {cron: '0 0 * * mno'}"),
    'definition.cron',
    '7:25',
    /Did you mean "mon"/,
  ],
  ['3.10 30 February', scheduleText('full: 0 0 30 2 *'), 'definition.cron', '7:13', /This day never comes/],
  ['3.10 an empty cron', scheduleText('full: ""'), 'definition.cron', '7:10', /an empty text/],
  [
    '3.10 an unknown zone',
    scheduleText('timeZone: Europe/Berln\nfull: "@daily"'),
    'definition.time-zone',
    '7:13',
    /Did you mean "Europe\/Berlin"/,
  ],
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
    '12 two targets',
    documentText(
      'Subscription',
      'events: [run.failed]\nto: {command: [x], webhook: {url: "https://example.org"}}',
    ),
    'definition.shape',
    '6:7',
    /found webhook and command, expected exactly one/,
  ],
  [
    '12 no target',
    documentText('Subscription', 'events: [run.failed]\nto: {}'),
    'definition.shape',
    '6:7',
    /found none of them/,
  ],
  [
    '12 an unknown event',
    documentText('Subscription', 'events: [run.complete]\nto: {command: [x]}'),
    'definition.shape',
    '5:12',
    /Did you mean "run\.completed"/,
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
    '1.2 copyOnly on an incremental',
    scheduleText('full: "@daily"\nincremental: {cron: "@daily", copyOnly: true}'),
    'definition.copy-only',
    '8:43',
    /use a copy-only full/,
  ],
  [
    '1.2 copyOnly on a full',
    scheduleText('full: {cron: "@daily", copyOnly: true}'),
    'definition.copy-only',
    '7:36',
    /beside a conventional/,
  ],
  [
    '1.2 a copy-only of another type',
    scheduleText('full: "@daily"\ncopyOnly: {cron: "@daily", type: incremental}'),
    'definition.shape',
    '8:36',
    /found "incremental", expected full/,
  ],
  [
    '3.1 a child longer than its parent',
    scheduleText('full: "@daily"\nincremental: "@weekly"'),
    'definition.cadence',
    '8:16',
    /"@weekly" \(up to 7 days apart\), expected nothing longer than the full's "@daily" \(up to 1 day apart\)/,
  ],
  [
    '3.1 a differential longer than its full',
    scheduleText('full: "0 2 * * *"\ndifferential: "0 2 * * 1-6"'),
    'definition.cadence',
    '8:17',
    /up to 2 days/,
  ],
  [
    '3.1 no full can be chosen',
    scheduleText('differential: "@weekly"'),
    'definition.cadence',
    '7:17',
    /expected a `full` cadence beside it/,
  ],
  [
    '3.1 no cadence at all',
    scheduleText('timeZone: UTC'),
    'definition.cadence',
    '4:1',
    /at least one of full/,
  ],
  [
    '3.2 a first run without a zone',
    scheduleText('full: "@daily"\nfirstRun: 2025-01-01T00:00:00'),
    'definition.shape',
    '8:13',
    /Add the time and its zone/,
  ],
  [
    '5.1 two dialects of retention',
    scheduleText('full: "@daily"\nretention: {keep: {last: 3}, days: 7}'),
    'definition.retention',
    '8:14',
    /keep and days/,
  ],
  [
    '5.3 a policy that keeps nothing',
    scheduleText('full: "@daily"\nretention: {keep: {last: 0}}'),
    'definition.retention',
    '8:21',
    /keeps nothing/,
  ],
  [
    '5.3 an empty policy',
    scheduleText('full: "@daily"\nretention: {}'),
    'definition.retention',
    '8:14',
    /empty policy/,
  ],
  [
    '5.1 a unit that is none',
    scheduleText('full: "@daily"\nretention: {keep: {within: 3 days}}'),
    'definition.shape',
    '8:30',
    /found "3 days", expected a duration/,
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
  [
    '3.10 a duplicate name',
    `${documentText('Source', 'driver: files\nfiles: {path: /a}')}---\n${documentText('Source', 'driver: files\nfiles: {path: /b}')}`,
    'definition.duplicate',
    '10:18',
    /a second Source "it".*the first is at a\.yaml:3:18/,
  ],
  ['3.10 an empty file', '# nothing\n', 'definition.yaml', '1:1', /found no document/],
  ['3.10 a list', '- a\n', 'definition.shape', '1:1', /found a list, expected a definition/],
  [
    '3.10 a cron without quotes',
    scheduleText('full: */5 * * * *'),
    'definition.yaml',
    '7:9',
    /begins with "\*" needs quotes/,
  ],
  [
    '3.10 a name without quotes',
    scheduleText('full: @daily'),
    'definition.yaml',
    '7:9',
    /begins with "@" needs quotes/,
  ],
  [
    '3.10 a field twice',
    scheduleText('full: "@daily"\nfull: "@weekly"'),
    'definition.yaml',
    '8:3',
    /"full" a second time/,
  ],
  ['3.10 broken YAML', 'kind: [Source\n', 'definition.yaml', '2:1', /cannot be read/],
  [
    '3.10 an unknown YAML tag',
    scheduleText('full: !cron "@daily"'),
    'definition.yaml',
    '7:9',
    /cannot be read/,
  ],
  ['3.10 an alias of nothing', scheduleText('full: *daily'), 'definition.yaml', '7:9', /an alias of nothing/],
];

describe('definition files that are refused', () => {
  it.each(refusals)('rule %s', (_, text, code, place, said) => {
    const parsed = parseText(text, docsAndVault);
    if (parsed.ok) throw new Error('It was accepted.');
    const [problem] = parsed.problems;
    expect(parsed.problems.map(describeProblem)).toHaveLength(1);
    expect(describeProblem(problem!)).toMatch(said);
    expect([problem?.code, `${problem?.line}:${problem?.column}`]).toEqual([code, place]);
  });

  it('rule 3.10: everything that is wrong in all files is named at once, in reading order', () => {
    const files: DefinitionFile[] = [
      { name: 'z.yaml', text: documentText('Source', 'driver: files\nfiles: {path: 3, exlude: []}') },
      { name: 'b.yaml', text: scheduleText('timeZone: Nowhere\nfull: "61 25 * * *"\nincremental: "* * *"') },
    ];
    const parsed = parseDefinitions(files, []);
    expect(
      parsed.ok ? [] : parsed.problems.map(({ file, line, column }) => `${file}:${line}:${column}`),
    ).toEqual([
      'z.yaml:6:17',
      'z.yaml:6:20',
      'b.yaml:5:11',
      'b.yaml:6:15',
      'b.yaml:7:13',
      'b.yaml:8:10',
      'b.yaml:8:13',
      'b.yaml:9:22',
    ]);
  });

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

  describe('rule 3.11: limits', () => {
    const limits = (spec: string) => documentText('Limits', spec).replace('name: it', 'name: platform');

    it('there is one set of them', () => {
      expect(problemsOf(documentText('Limits', 'runsAtOnce: 2'))).toEqual([
        expect.stringMatching(
          /^a\.yaml:3:18: metadata\.name: found Limits named "it", expected "platform"\./,
        ),
      ]);
    });

    it.each([
      ['none at once', 'runsAtOnce: 0', /spec\.runsAtOnce: .*expected a whole number from 1/],
      [
        'a part above the whole',
        'runsAtOnce: 2\nperRepository: 3',
        /6:\d+: spec\.perRepository: found 3 runs at once where/,
      ],
      [
        'a pool above the whole',
        'runsAtOnce: 2\npools: {cellar: 3}',
        /6:\d+: spec\.pools\.cellar: found 3 runs at once where/,
      ],
      ['a field of nobody', 'runs: 2', /found the field "runs"/],
    ])('%s is refused', (_what, spec, said) => {
      expect(problemsOf(limits(spec))).toEqual([expect.stringMatching(said)]);
    });

    it('a source above the whole is refused at whichever document brings it about', () => {
      const source = documentText('Source', 'driver: files\nfiles: {path: /a}\nrunsAtOnce: 5');
      const whole: KnownDefinition = { kind: 'Limits', name: 'platform', spec: { runsAtOnce: 4 } };
      expect(problemsOf(source, [whole])).toEqual([
        expect.stringMatching(
          /7:15: spec\.runsAtOnce: found 5 runs at once of the Source "it" where the platform allows 4/,
        ),
      ]);
      const known: KnownDefinition = { kind: 'Source', name: 'docs', spec: { runsAtOnce: 5 } };
      expect(problemsOf(limits('runsAtOnce: 4'), [known])).toEqual([
        expect.stringMatching(/5:15: spec\.runsAtOnce: found 5 runs at once of the Source "docs"/),
      ]);
    });
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

  it('aliases that unfold without end are refused', () => {
    const levels = Array.from(
      { length: 9 },
      (_, level) => `l${level + 1}: &l${level + 1} [${Array(9).fill(`*l${level}`).join(', ')}]`,
    );
    const unfolding = [expect.stringContaining('values that unfold to too much')];
    expect(problemsOf(`l0: &l0 [a]\n${levels.join('\n')}\n`)).toEqual(unfolding);
    expect(problemsOf('a: &a [*a]\n')).toEqual(unfolding);
  });

  it('the error says it in one text, with file, line and column of each', () => {
    const parsed = parseText(scheduleText('full: "@dayly"'), docsAndVault);
    if (parsed.ok) throw new Error('It was accepted.');
    expect(new DefinitionsRefusedError(parsed.problems).message).toBe(
      'The definitions have 1 problem and are refused whole:\n' +
        'a.yaml:7:10: spec.full: found "@dayly", expected five or six fields or one of @hourly, @daily, @midnight, @weekly, ' +
        '@monthly, @yearly, @annually. Did you mean "@daily"?',
    );
  });
});
