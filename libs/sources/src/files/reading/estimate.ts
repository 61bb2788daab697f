import type { SourceTotals } from '../../port/source-driver.ts';
import type { FilesSpec } from '../files-spec.ts';
import { TimeSlice } from '../time-slice.ts';
import { walk } from './walk.ts';

/** Counts what a backup would find, for its progress. What cannot be looked at is left to the backup to report. */
export async function estimate(spec: FilesSpec, signal?: AbortSignal): Promise<SourceTotals> {
  let files = 0;
  let bytes = 0;
  const slice = new TimeSlice(signal);
  for (const { status } of walk(spec, () => undefined)) {
    if (status.kind === 'file') {
      files += 1;
      bytes += Number(status.size);
    }
    if (slice.isOver) await slice.giveWay();
  }
  return { files, bytes };
}
