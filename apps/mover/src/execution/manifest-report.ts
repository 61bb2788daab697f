import { CatenaError, TABLESPACES_MADE, type ManifestReport } from '@catena/events';
import type { FoundBackup, Manifest, ManifestRef, Position } from '@catena/vault';

/** What a catalog needs to know of a manifest. */
export function manifestReportOf({ ref, manifest }: FoundBackup): ManifestReport {
  return {
    name: ref.name,
    hash: ref.hash,
    run: manifest.run,
    backup: manifest.backup,
    collection: manifest.collection,
    source: manifest.source.name,
    sourceUid: manifest.source.uid,
    type: manifest.type,
    copyOnly: manifest.copyOnly,
    ...(manifest.parent === undefined ? {} : { parent: manifest.parent }),
    ...(manifest.type === 'full' || manifest.type === 'log' ? {} : { base: manifest.base ?? manifest.chain }),
    chain: manifest.chain,
    family: manifest.source.family,
    ...historyOf(manifest, ref),
    startedAt: instant(manifest.startedAt),
    asOf: instant(manifest.asOf),
    finishedAt: instant(manifest.endedAt),
    closure: manifest.backups.filter((backup) => backup !== manifest.backup),
    files: manifest.statistics.files,
    bytes: manifest.statistics.bytes,
    bytesAdded: manifest.statistics.bytesStored,
    keyIds: [...manifest.keys],
    warningCount: manifest.warnings,
    ...detailsOf(manifest),
  };
}

/** Longest text of a detail that an event carries, in characters; longer ones are for who reads the manifest. */
const LONGEST_DETAIL = 200;

function detailsOf({ driverDetails = {} }: Manifest): Pick<ManifestReport, 'driverDetails'> {
  const short = Object.entries(driverDetails).filter(
    ([name, value]) =>
      // A plan must know each of them, and there are few.
      name === TABLESPACES_MADE || typeof value !== 'string' || value.length <= LONGEST_DETAIL,
  );
  return short.length === 0 ? {} : { driverDetails: Object.fromEntries(short) };
}

/** Where in the source's history the backup stands. */
function historyOf(
  manifest: Manifest,
  ref: ManifestRef,
): Pick<
  ManifestReport,
  'position' | 'start' | 'fork' | 'forkParent' | 'forkAt' | 'archivePoint' | keyof LogLandmarks
> {
  if (manifest.position !== undefined) {
    const { end, marks: _marks, transactions: _transactions, ...rest } = manifest.position;
    return { position: end, ...rest, ...landmarksOf(manifest.position) };
  }
  throw new CatenaError('mover.manifest-without-position', `The manifest ${ref.name} names no position.`, {
    remedy: 'It was not written by a mover. Restore it with catena restore --repository.',
  });
}

type LogLandmarks = Pick<ManifestReport, 'marks' | 'moreMarks' | 'transactions'>;

function landmarksOf({ marks, transactions }: Pick<Position, 'marks' | 'transactions'>): LogLandmarks {
  return {
    ...(marks === undefined ? {} : { marks: [...marks] }),
    ...(transactions === undefined ? {} : { transactions: transactions.map(([a, b]) => [a, b]) }),
  };
}

/** Events carry milliseconds, always three digits of them. */
function instant(time: string): string {
  return new Date(time).toISOString();
}
