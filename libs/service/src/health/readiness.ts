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
  readonly #starting = new Map<string, () => string | undefined>();

  /** A check that throws counts as failed with the error's message; one that hangs counts as failed too. */
  register(name: string, check: () => Promise<CheckResult> | CheckResult): void {
    this.#checks.set(name, check);
  }

  /**
   * Names a part of the service's start that goes on beside its work, such as reading the log. `left` answers how far it
   * is, and nothing once it is done; then it is not asked again.
   */
  startsWith(name: string, left: () => string | undefined): void {
    this.#starting.set(name, left);
  }

  /** What of the start is not done yet, by name, with how far it is. */
  unfinished(): Record<string, string> {
    const left: Record<string, string> = {};
    for (const [name, look] of this.#starting) {
      const how = look();
      if (how === undefined) this.#starting.delete(name);
      else left[name] = how;
    }
    return left;
  }

  async examine(): Promise<{
    ready: boolean;
    checks: Record<string, CheckResult>;
    /** What of the start goes on; it does not keep the service from being ready. */
    starting?: Record<string, string>;
  }> {
    const results = await Promise.all(
      [...this.#checks].map(async ([name, check]) => [name, await examined(check)] as const),
    );
    const starting = this.unfinished();
    return {
      ready: results.every(([, { ok }]) => ok),
      checks: Object.fromEntries(results),
      ...(Object.keys(starting).length === 0 ? {} : { starting }),
    };
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
