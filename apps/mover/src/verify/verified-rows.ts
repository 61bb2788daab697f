import type { MoverReport } from '@catena/events';
import type { DamagedObjectError } from '@catena/vault';

type Row = NonNullable<Extract<MoverReport['outcome'], { kind: 'completed' }>['verified']>[number];
type Damage = DamagedObjectError['damage'];

/** What a verification says of each backup: damage of one object hits every backup that needs it. */
export class VerifiedRows {
  readonly #rows = new Map<string, Row>();

  has(backup: string): boolean {
    return this.#rows.has(backup);
  }

  /** @param bytes what the backup needs, as far as it was checked. */
  add(backup: string, bytes: number): void {
    const known = this.#rows.get(backup);
    this.#rows.set(backup, { backup, bytes, missing: false, problems: known?.problems ?? [] });
  }

  /** A backup that no readable manifest names: gone, or one of those that cannot be read. */
  addAbsent(backup: string, unreadable: readonly string[]): void {
    const problems = unreadable.map((object) => ({ object, message: 'unreadable', paths: [] }));
    this.#rows.set(backup, { backup, bytes: 0, missing: problems.length === 0, problems });
  }

  addDamage({ object, reason, backups, files }: Damage): void {
    for (const backup of backups) {
      const row = this.#rows.get(backup) ?? { backup, bytes: 0, missing: false, problems: [] };
      const problem = { object, message: reason, paths: [...files] };
      this.#rows.set(backup, { ...row, problems: [...row.problems, problem] });
    }
  }

  list(): Row[] {
    return [...this.#rows.values()];
  }
}
