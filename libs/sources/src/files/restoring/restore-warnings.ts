import type { RestoreWarning } from '../../port/source-driver.ts';
import { bytesOf, type ByteString } from '../../system-calls/index.ts';

const most = 1000;

/** What a restore could not keep. All are counted, the first are listed: a million would fill the memory. */
export class RestoreWarnings {
  readonly list: RestoreWarning[] = [];
  count = 0;

  add(path: ByteString, code: string, message: string): void {
    this.count += 1;
    if (this.list.length < most) this.list.push({ path: bytesOf(path), code, message });
  }
}
