import type { BackupView } from '@catena/events';
import type { FoundBackup } from '@catena/vault';

/** A backup as the catalog would show it, from its manifest alone; the repository has no name of its own. */
export function backupViewOf({ manifest, ref }: FoundBackup): BackupView {
  const { statistics, source } = manifest;
  return {
    backup: manifest.backup,
    run: manifest.run,
    collection: manifest.collection,
    source: source.name,
    sourceUid: source.uid,
    repository: 'repository',
    repositoryUid: manifest.repository,
    type: manifest.type,
    copyOnly: manifest.copyOnly,
    ...(manifest.parent === undefined ? {} : { parent: manifest.parent }),
    ...(manifest.type === 'full' || manifest.type === 'log' ? {} : { base: manifest.base ?? manifest.chain }),
    chain: manifest.chain,
    position: manifest.position?.end ?? '0',
    ...(manifest.position?.start === undefined ? {} : { start: manifest.position.start }),
    ...(manifest.position?.fork === undefined ? {} : { fork: manifest.position.fork }),
    ...(manifest.position?.archivePoint === undefined
      ? {}
      : { archivePoint: manifest.position.archivePoint }),
    ...(manifest.position?.marks === undefined ? {} : { marks: [...manifest.position.marks] }),
    ...(manifest.position?.moreMarks === undefined ? {} : { moreMarks: manifest.position.moreMarks }),
    ...(manifest.position?.transactions === undefined
      ? {}
      : { transactions: manifest.position.transactions.map(([first, last]) => [first, last]) }),
    family: source.family,
    startedAt: manifest.startedAt,
    asOf: manifest.asOf,
    finishedAt: manifest.endedAt,
    files: statistics.files,
    bytes: statistics.bytes,
    bytesAdded: statistics.bytesStored,
    closure: manifest.backups.filter((backup) => backup !== manifest.backup),
    manifest: { name: ref.name, hash: ref.hash },
    keyIds: [...manifest.keys],
    warningCount: manifest.warnings,
    state: 'usable',
    found: true,
    ...(manifest.driverDetails === undefined ? {} : { driverDetails: { ...manifest.driverDetails } }),
  };
}
