import { describe, expect, it } from '@jest/globals';
import { archivesOfSuite, parseDeb822Sources, parseOneLineSources, renderDeb822 } from './apt-sources.ts';

const deb822 = `# The machine's archives
Types: deb deb-src
URIs: http://one.example/debian http://two.example/debian
Suites: bookworm bookworm-updates
# a comment inside
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc

Types: deb
URIs: http://one.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/archive.gpg

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main

Types: deb-src
URIs: http://source.example/debian
Suites: bookworm
Components: main
`;

describe('apt sources', () => {
  it('reads deb822: one archive per address and suite, disabled and source-only ones left out', () => {
    const archives = parseDeb822Sources(deb822);
    expect(archives.map(({ uri, suite }) => `${uri} ${suite}`)).toEqual([
      'http://one.example/debian bookworm',
      'http://one.example/debian bookworm-updates',
      'http://two.example/debian bookworm',
      'http://two.example/debian bookworm-updates',
      'http://one.example/debian-security bookworm-security',
    ]);
    expect(archives[0]?.signedBy).toContain('BEGIN PGP PUBLIC KEY BLOCK');
  });

  it('reads lines with options, and leaves out comments, sources and what is no archive', () => {
    const text = [
      'deb [arch=amd64,arm64 signed-by=/k.gpg] http://one.example/debian bookworm main contrib # here',
      '# deb http://off.example/debian bookworm main',
      'deb-src http://one.example/debian bookworm main',
      'deb http://flat.example/ ./',
      'nonsense',
    ].join('\n');
    expect(parseOneLineSources(text)).toEqual([
      {
        uri: 'http://one.example/debian',
        suite: 'bookworm',
        components: ['main', 'contrib'],
        signedBy: '/k.gpg',
        architectures: 'amd64 arm64',
      },
      { uri: 'http://flat.example/', suite: './', components: [] },
    ]);
  });

  it('puts another suite in place of the release, for its main archives alone, each address once', () => {
    const archives = archivesOfSuite(parseDeb822Sources(deb822), 'bookworm', 'testing');
    expect(archives.map(({ uri, suite, components }) => [uri, suite, components])).toEqual([
      ['http://one.example/debian', 'testing', ['main']],
      ['http://two.example/debian', 'testing', ['main']],
    ]);
    expect(
      archivesOfSuite([{ uri: 'u', suite: 'stable', components: ['main'] }], 'bookworm', 'testing'),
    ).toHaveLength(1);
    expect(
      archivesOfSuite([{ uri: 'u', suite: 'nodistro', components: ['main'] }], 'bookworm', 'testing'),
    ).toEqual([]);
  });

  it('writes what it reads, embedded keys included', () => {
    const archives = parseDeb822Sources(deb822);
    expect(parseDeb822Sources(renderDeb822(archives))).toEqual(archives);
  });
});
