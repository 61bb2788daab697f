import { describe, expect, it } from '@jest/globals';
import { documentText } from '../testing/definition-texts.ts';
import { problemsOf } from '../testing/refusals.ts';
import type { KnownDefinition } from './rules/world.ts';

describe('rule 3.11: limits that are refused', () => {
  const limits = (spec: string) => documentText('Limits', spec).replace('name: it', 'name: platform');

  it('there is one set of them', () => {
    expect(problemsOf(documentText('Limits', 'runsAtOnce: 2'))).toEqual([
      expect.stringMatching(/^a\.yaml:3:18: metadata\.name: found Limits named "it", expected "platform"\./),
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

  it.each(['fast', '20 MB', '0', '-1', '1.5', 'true'])('a rate of %s is refused in words', (rate) => {
    const source = documentText('Source', `driver: files\nfiles: {path: /a}\nlimits: {read: ${rate}}`);
    expect(problemsOf(source)).toEqual([
      expect.stringMatching(
        /spec\.limits\.read: .*expected bytes per second: a whole number, or a text such as 20MB or 16MiB/,
      ),
    ]);
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
