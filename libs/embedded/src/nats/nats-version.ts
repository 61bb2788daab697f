import { runCommand } from '../process/run-command.ts';

/** Appends with an expected sequence over a wildcard subject and atomic batches need this server version. */
export const MINIMUM_NATS_VERSION = '2.12.0';

/** The version in the output of `nats-server -v`, e.g. `nats-server: v2.15.1`, or undefined. */
export function parseNatsVersion(output: string): string | undefined {
  return /nats-server:?\s+v?(\d+\.\d+\.\d+)/i.exec(output)?.[1];
}

/** Negative, zero or positive as `left` is older than, the same as or newer than `right`; numeric dotted versions. */
export function compareVersions(left: string, right: string): number {
  const a = left.split('.').map(Number);
  const b = right.split('.').map(Number);
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

export function isSuitableNatsVersion(version: string): boolean {
  return compareVersions(version, MINIMUM_NATS_VERSION) >= 0;
}

/** What a binary says of itself by running it: its version, or why it could not be asked. */
export async function probeNatsVersion(binary: string): Promise<{ version: string } | { problem: string }> {
  const result = await runCommand(binary, ['-v'], { timeoutMs: 10_000 });
  const version = parseNatsVersion(result.stdout + result.stderr);
  if (version) return { version };
  const said = `${result.stdout}${result.stderr}`.trim().split('\n')[0] ?? '';
  return { problem: said === '' ? `it ended with code ${result.code}` : said };
}
