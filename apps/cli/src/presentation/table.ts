/** Aligned columns, two spaces apart; the last one is not padded, so lines can be copied. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all
    .map((row) =>
      widths
        .map((width, column) =>
          column === widths.length - 1 ? (row[column] ?? '') : (row[column] ?? '').padEnd(width),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A table, or a sentence when there is nothing to show in one. */
export function listing(
  whenEmpty: string,
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  return rows.length === 0 ? whenEmpty : formatTable(header, rows);
}
