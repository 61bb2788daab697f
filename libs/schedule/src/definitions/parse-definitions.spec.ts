import { describe, expect, it } from '@jest/globals';
import { docsAndVault, documentText, parseText, scheduleText } from '../testing/definition-texts.ts';
import { DefinitionsRefusedError, describeProblem } from './problem.ts';

describe('definition files that are right', () => {
  it('issue 2.12: several documents of all kinds, paths made absolute, labels kept', () => {
    const parsed = parseText(`
apiVersion: catena/v1
kind: Source
metadata: {name: docs, labels: {team: web}}
spec: {driver: files, files: {path: ./docs/../docs/, include: ['**'], exclude: ['*.tmp'], oneFileSystem: true}}
---
apiVersion: catena/v1
kind: Repository
metadata: {name: vault}
spec:
  store: fs
  fs: {path: $CATENA_HOME/vault}
  access: readWrite
  encryption: {keys: [{passphrase: {file: ~/pass}}, {keyFile: {path: /keys/a, generate: true}}, {passphrase: {env: PASS}}]}
---
apiVersion: catena/v1
kind: Schedule
metadata: {name: nightly}
spec: {source: docs, repository: vault, timeZone: Europe/Berlin, firstRun: now, full: "@weekly",
       differential: {cron: "0 2 * * 3"}, incremental: "@daily", copyOnly: {cron: "@monthly", type: full}, retention: {days: 14}}
---
apiVersion: catena/v1
kind: Subscription
metadata: {name: tell}
spec: {events: [run.completed, run.failed, 'backup.*'], sources: [docs], to: {webhook: {url: "https://example.org/hook", secret: {env: HOOK}}}}
---
`);
    if (!parsed.ok) throw new DefinitionsRefusedError(parsed.problems);
    expect(parsed.warnings).toEqual([]);
    expect(parsed.definitions.map(({ kind, name, origin }) => [kind, name, origin])).toEqual([
      ['Source', 'docs', 'a.yaml'],
      ['Repository', 'vault', 'a.yaml'],
      ['Schedule', 'nightly', 'a.yaml'],
      ['Subscription', 'tell', 'a.yaml'],
    ]);
    expect(parsed.definitions[0]?.labels).toEqual({ team: 'web' });
    expect(parsed.definitions[0]?.spec).toMatchObject({ files: { path: '/etc/catena/docs' } });
    expect(parsed.definitions[1]?.spec).toEqual({
      store: 'fs',
      fs: { path: '/var/lib/catena/vault' },
      access: 'readWrite',
      encryption: {
        keys: [
          { passphrase: { file: '/home/ann/pass' } },
          { keyFile: { path: '/keys/a', generate: true } },
          { passphrase: { env: 'PASS' } },
        ],
      },
    });
  });

  it('anchors and aliases of YAML are read', () => {
    const text = scheduleText('full: &often "@daily"\nincremental: *often');
    expect(parseText(text, docsAndVault).ok).toBe(true);
  });

  it('rule 1.4: logs of a source that keeps one go with a data backup, and only with one', () => {
    const [, vault] = docsAndVault;
    const bank = { kind: 'Source', name: 'docs', spec: { driver: 'postgres' } } as const;
    const problemsOf = (spec: string) => {
      const parsed = parseText(scheduleText(spec), [bank, vault!]);
      return parsed.ok ? [] : parsed.problems.map(({ code }) => code);
    };
    expect(problemsOf('full: "@weekly"\nlog: {every: 5m}\ncopyOnly: {cron: "@daily", type: log}')).toEqual(
      [],
    );
    expect(problemsOf('log: {every: 5m}')).toEqual(['definition.cadence']);
  });

  it('replaces $CATENA_HOME at the beginning of a word of a command, and nothing else there', () => {
    const parsed = parseText(
      documentText(
        'Subscription',
        'events: [run.failed]\nto: {command: [tee, -a, $CATENA_HOME/log, ./x, ~/y, a$CATENA_HOME/z]}',
      ),
    );
    expect(parsed.ok && parsed.definitions[0]?.spec['to']).toEqual({
      command: ['tee', '-a', '/var/lib/catena/log', './x', '~/y', 'a$CATENA_HOME/z'],
    });
  });

  it('rule 1.2: copyOnly on a differential is accepted with a warning', () => {
    const parsed = parseText(
      scheduleText('full: "@weekly"\ndifferential: {cron: "@daily", copyOnly: true}'),
      docsAndVault,
    );
    expect(parsed.ok && parsed.warnings.map(describeProblem)).toEqual([
      expect.stringMatching(/^a\.yaml:8:44: spec\.differential\.copyOnly: .*ignored/),
    ]);
  });
});
