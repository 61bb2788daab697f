import type { RestoreWarning } from '../../port/source-driver.ts';
import { bytesOf, shownName, type ByteString } from '../../system-calls/index.ts';

const most = 1000;

/** What a restore could not keep. All are counted, the first are listed: a million would fill the memory. */
export class RestoreWarnings {
  readonly list: RestoreWarning[] = [];
  count = 0;

  /** Something about one thing that is restored. @param what goes on after its name */
  lost(path: ByteString, code: string, what: string): void {
    const shown = path === '' ? 'The root' : `'${shownName(path)}'`;
    this.add(path, code, `${shown} ${what}.`);
  }

  /** What somebody else has found. @param count of all, if not all are listed */
  addAll(warnings: readonly RestoreWarning[], count: number): void {
    this.count += count;
    this.list.push(...warnings.slice(0, most - this.list.length));
  }

  add(path: ByteString, code: string, message: string): void {
    this.count += 1;
    if (this.list.length < most) this.list.push({ path: bytesOf(path), code, message });
  }
}
