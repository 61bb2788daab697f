/** One thing that doctor looked at. */
export interface Finding {
  readonly level: 'ok' | 'warning' | 'problem';
  /** What was looked at. */
  readonly check: string;
  readonly message: string;
  /** What to do; for everything that is not ok. */
  readonly remedy?: string;
}

export const ok = (check: string, message: string): Finding => ({ level: 'ok', check, message });
export const warning = (check: string, message: string, remedy: string): Finding => ({
  level: 'warning',
  check,
  message,
  remedy,
});
export const problem = (check: string, message: string, remedy: string): Finding => ({
  level: 'problem',
  check,
  message,
  remedy,
});
