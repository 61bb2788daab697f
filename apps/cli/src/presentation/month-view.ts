/** What a month view shows of one firing. */
export interface MonthEntry {
  /** Local time with offset: `2026-03-30T03:30:00+02:00`. */
  readonly local: string;
  readonly cadence: 'full' | 'differential' | 'incremental' | 'log' | 'copyOnly';
  readonly note: string;
}

const LETTERS = { full: 'F', differential: 'D', incremental: 'I', log: 'L', copyOnly: 'C' } as const;
const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const NARROWEST = 12;

/** A month as a calendar sheet: per day how many runs of each cadence; `!` marks a day with a remark. */
export function formatMonth(month: string, entries: readonly MonthEntry[]): string {
  const [year = 0, number = 1] = month.split('-').map(Number);
  const days = new Date(Date.UTC(year, number, 0)).getUTCDate();
  const lead = (new Date(Date.UTC(year, number - 1, 1)).getUTCDay() + 6) % 7;
  const cells = [
    ...Array.from({ length: lead }, () => ''),
    ...Array.from({ length: days }, (_, index) => {
      const date = `${month}-${String(index + 1).padStart(2, '0')}`;
      return `${String(index + 1).padStart(2)} ${dayText(entries.filter(({ local }) => local.startsWith(date)))}`;
    }),
  ];
  const width = Math.max(NARROWEST, ...cells.map((cell) => cell.length + 2));
  const lines = [
    WEEKDAYS.map((day) => day.padEnd(width))
      .join('')
      .trimEnd(),
  ];
  for (let start = 0; start < cells.length; start += 7) {
    lines.push(
      cells
        .slice(start, start + 7)
        .map((cell) => cell.padEnd(width))
        .join('')
        .trimEnd(),
    );
  }
  return [month, ...lines, legendOf(entries)].join('\n');
}

/** The letters that are on the sheet. */
function legendOf(entries: readonly MonthEntry[]): string {
  const letters = Object.entries(LETTERS).flatMap(([cadence, letter]) =>
    entries.some((entry) => entry.cadence === cadence)
      ? [`${letter} ${cadence === 'copyOnly' ? 'copy-only' : cadence}`]
      : [],
  );
  return [...letters, ...(entries.some(({ note }) => note !== '') ? ['! see the notes'] : [])].join('  ');
}

function dayText(entries: readonly MonthEntry[]): string {
  const running = entries.filter(({ note }) => !note.includes('does not run'));
  const counts = Object.entries(LETTERS).flatMap(([cadence, letter]) => {
    const count = running.filter((entry) => entry.cadence === cadence).length;
    return count === 0 ? [] : [count === 1 ? letter : `${letter}${count}`];
  });
  return `${counts.join(' ')}${entries.some(({ note }) => note !== '') ? '!' : ''}`;
}
