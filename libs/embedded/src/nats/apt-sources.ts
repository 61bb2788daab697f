/** One package archive of the machine, as its apt configuration names it. */
export interface AptArchive {
  uri: string;
  suite: string;
  components: readonly string[];
  /** Value of `Signed-By` (paths, fingerprints or an embedded key with its line structure), if the archive has one. */
  signedBy?: string;
  architectures?: string;
}

/** Reads a one-line style file (`deb [options] uri suite components…`). Lines that are not binary archives are left out. */
export function parseOneLineSources(text: string): AptArchive[] {
  const archives: AptArchive[] = [];
  for (const raw of text.split('\n')) {
    const match = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*(.*)$/.exec(raw.replace(/#.*$/, '').trim());
    if (!match) continue;
    const [, optionText = '', uri = '', suite = '', rest = ''] = match;
    const options = new Map(
      optionText
        .split(/\s+/)
        .filter((option) => option.includes('='))
        .map((option) => [
          option.slice(0, option.indexOf('=')).toLowerCase(),
          option.slice(option.indexOf('=') + 1),
        ]),
    );
    const signedBy = options.get('signed-by')?.replaceAll(',', ' ');
    const architectures = options.get('arch')?.replaceAll(',', ' ');
    archives.push({
      uri,
      suite,
      components: rest.split(/\s+/).filter(Boolean),
      ...(signedBy === undefined ? {} : { signedBy }),
      ...(architectures === undefined ? {} : { architectures }),
    });
  }
  return archives;
}

/** Reads a deb822 style file: stanzas of `Field: value`. Disabled stanzas and source-only ones are left out. */
export function parseDeb822Sources(text: string): AptArchive[] {
  const archives: AptArchive[] = [];
  const withoutComments = text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n');
  for (const stanza of withoutComments.split(/\n[ \t]*\n/)) {
    const fields = parseStanza(stanza);
    if (!wordsOf(fields, 'types').includes('deb')) continue;
    if (/^(no|false|0|off|without|disable)$/i.test(fields.get('enabled')?.trim() ?? 'yes')) continue;
    const signedBy = fields.get('signed-by');
    const architectures = fields.get('architectures')?.trim();
    for (const uri of wordsOf(fields, 'uris')) {
      for (const suite of wordsOf(fields, 'suites')) {
        archives.push({
          uri,
          suite,
          components: wordsOf(fields, 'components'),
          ...(signedBy === undefined ? {} : { signedBy }),
          ...(architectures === undefined ? {} : { architectures }),
        });
      }
    }
  }
  return archives;
}

function parseStanza(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  let last: string | undefined;
  for (const line of stanza.split('\n')) {
    if (/^[ \t]/.test(line) && last !== undefined) {
      fields.set(last, `${fields.get(last) ?? ''}\n${line}`);
      continue;
    }
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    last = line.slice(0, colon).trim().toLowerCase();
    fields.set(last, line.slice(colon + 1).trim());
  }
  return fields;
}

function wordsOf(fields: ReadonlyMap<string, string>, name: string): string[] {
  return (fields.get(name) ?? '').split(/\s+/).filter(Boolean);
}

/**
 * The machine's main archives with another suite in place of its own. An archive counts as a main one when its suite
 * is the installed release itself (`release`: its code name, or an alias such as `stable`), not its updates or security.
 */
export function archivesOfSuite(
  archives: readonly AptArchive[],
  release: string,
  suite: string,
): AptArchive[] {
  const own = new Set([release, 'stable', 'oldstable', 'oldoldstable', 'testing', 'unstable', 'sid']);
  const seen = new Set<string>();
  return archives
    .filter((archive) => own.has(archive.suite) && archive.components.includes('main'))
    .map((archive) => ({ ...archive, suite, components: ['main'] }))
    .filter((archive) => !seen.has(archive.uri) && seen.add(archive.uri));
}

/** The archives as one deb822 file. */
export function renderDeb822(archives: readonly AptArchive[]): string {
  return archives
    .map((archive) =>
      [
        'Types: deb',
        `URIs: ${archive.uri}`,
        `Suites: ${archive.suite}`,
        `Components: ${archive.components.join(' ')}`,
        ...(archive.architectures === undefined ? [] : [`Architectures: ${archive.architectures}`]),
        ...(archive.signedBy === undefined ? [] : [`Signed-By: ${archive.signedBy}`]),
        '',
      ].join('\n'),
    )
    .join('\n');
}
