import { describe, expect, it } from '@jest/globals';
import { docsAndVault, documentText, parseText, scheduleText } from '../testing/definition-texts.ts';
import { problemsOf, refuses } from '../testing/refusals.ts';
import { parseDefinitions, type DefinitionFile } from './parse-definitions.ts';
import { DefinitionsRefusedError } from './problem.ts';

describe('definition files that are refused', () => {
  refuses([
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
    [
      '3.10 an alias of nothing',
      scheduleText('full: *daily'),
      'definition.yaml',
      '7:9',
      /an alias of nothing/,
    ],
  ]);

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
