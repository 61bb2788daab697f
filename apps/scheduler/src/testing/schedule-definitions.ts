const documents = [
  'kind: Source\nmetadata: {name: docs}\nspec: {driver: files, files: {path: /docs}}',
  'kind: Repository\nmetadata: {name: vault}\nspec: {store: fs, fs: {path: /vault}}',
];

/**
 * Definitions of schedules, with the one source and the one repository that all of them are of.
 * @param schedules by name: what their spec says beside those two, as the inside of a YAML flow mapping
 */
export function scheduleDefinitions(schedules: Readonly<Record<string, string>>): string {
  return [
    ...documents,
    ...Object.entries(schedules).map(
      ([name, spec]) =>
        `kind: Schedule\nmetadata: {name: ${name}}\nspec: {source: docs, repository: vault, ${spec}}`,
    ),
  ]
    .map((document) => `apiVersion: catena/v1\n${document}\n`)
    .join('---\n');
}
