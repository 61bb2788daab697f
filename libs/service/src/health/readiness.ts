import { describeError } from '@catena/events';

/** What one check found; `detail` says why not. */
export interface CheckResult {
  readonly ok: boolean;
  readonly detail?: string;
}

const LIMIT_MILLISECONDS = 2_000;

/** The named checks that together say whether a service can do its work now. */
export class Readiness {
  readonly #checks = new Map<string, () => Promise<CheckResult> | CheckResult>();

  /** A check that throws counts as failed with the error's message; one that hangs counts as failed too. */
  register(name: string, check: () => Promise<CheckResult> | CheckResult): void {
    this.#checks.set(name, check);
  }

  async examine(): Promise<{ ready: boolean; checks: Record<string, CheckResult> }> {
    const results = await Promise.all(
      [...this.#checks].map(async ([name, check]) => [name, await examined(check)] as const),
    );
    return { ready: results.every(([, { ok }]) => ok), checks: Object.fromEntries(results) };
  }
}

async function examined(check: () => Promise<CheckResult> | CheckResult): Promise<CheckResult> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<CheckResult>((resolve) => {
    timer = setTimeout(
      () => resolve({ ok: false, detail: `no answer within ${LIMIT_MILLISECONDS} ms` }),
      LIMIT_MILLISECONDS,
    );
  });
  try {
    return await Promise.race([Promise.resolve(check()), late]);
  } catch (error) {
    return { ok: false, detail: describeError(error).message };
  } finally {
    clearTimeout(timer);
  }
}
