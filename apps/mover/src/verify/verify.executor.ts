import type { RunPlan, Warning } from '@catena/events';
import { dataLimitsOf } from '@catena/schedule';
import { CLOCK, ServiceIdentity, type Clock } from '@catena/service';
import type { Collection, Manifest, Repository } from '@catena/vault';
import { Inject, Injectable } from '@nestjs/common';
import { RunLimits } from '../execution/data-limits.ts';
import type { Execution, RunExecutor, WorkDone } from '../execution/run-executor.ts';
import { RepositoryOpener } from '../repository/repository-opener.ts';
import { VerifiedRows } from './verified-rows.ts';

type VerifyPlan = Extract<RunPlan, { kind: 'verify' }>;

const WARNINGS_REPORTED = 100;

/** What a repository holds, as far as its manifests can be read. */
interface Contents {
  readonly byCollection: readonly {
    readonly collection: Collection;
    readonly manifests: readonly Manifest[];
  }[];
  /** Manifests that are there and cannot be read: which backups they are of is not known. */
  readonly unreadable: readonly string[];
}

/** Checks that backups are there (presence), or that every byte they need reads back right (checksums). */
@Injectable()
export class VerifyExecutor implements RunExecutor<'verify'> {
  readonly kind = 'verify';

  constructor(
    @Inject(RepositoryOpener) private readonly repositories: RepositoryOpener,
    @Inject(ServiceIdentity) private readonly identity: ServiceIdentity,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async execute(execution: Execution<VerifyPlan>): Promise<WorkDone> {
    const startedAt = this.clock.now();
    execution.progress.enter('verifying');
    const { repository, writable, news } = await this.repositories.open(execution.plan.repository);
    try {
      const contents = await contentsOf(repository, new Set(execution.plan.backups));
      const rows = new VerifiedRows();
      const totals = { objects: 0, bytes: 0 };
      const limits = new RunLimits(dataLimitsOf(execution.plan.repository.spec), execution.signal);
      for (const { collection, manifests } of contents.byCollection) {
        const done = await this.#check(execution, collection, manifests, rows, totals, writable, limits);
        totals.objects += done.objects;
        totals.bytes += done.bytes;
      }
      for (const backup of execution.plan.backups)
        if (!rows.has(backup)) rows.addAbsent(backup, contents.unreadable);
      return this.#reported(rows, totals, startedAt, news);
    } finally {
      await repository.close();
    }
  }

  async #check(
    { plan, signal, progress }: Execution<VerifyPlan>,
    collection: Collection,
    manifests: readonly Manifest[],
    rows: VerifiedRows,
    before: { readonly objects: number; readonly bytes: number },
    writable: boolean,
    limits: RunLimits,
  ): Promise<{ objects: number; bytes: number }> {
    const report = await collection.verify({
      ...limits.reading,
      depth: plan.depth,
      backups: manifests.map(({ backup }) => backup),
      signal,
      onProgress: ({ objects, objectsTotal, bytes, bytesTotal }) =>
        progress.update({
          files: before.objects + objects,
          bytes: before.bytes + bytes,
          totalFiles: before.objects + objectsTotal,
          totalBytes: before.bytes + bytesTotal,
        }),
      ...(writable ? { recordAs: this.identity.actor } : {}),
    });
    for (const manifest of manifests) rows.add(manifest.backup, bytesNeededBy(manifest));
    for (const damage of report.damages) rows.addDamage(damage);
    return report;
  }

  #reported(
    rows: VerifiedRows,
    totals: { readonly objects: number; readonly bytes: number },
    startedAt: number,
    news: Pick<WorkDone, 'initialised' | 'generatedKey'>,
  ): WorkDone {
    const verified = rows.list();
    const bad = verified.filter(({ missing, problems }) => missing || problems.length > 0);
    return {
      statistics: {
        files: totals.objects,
        bytes: totals.bytes,
        bytesRead: totals.bytes,
        bytesAdded: 0,
        milliseconds: this.clock.now() - startedAt,
      },
      warnings: bad.slice(0, WARNINGS_REPORTED).map(({ backup, missing, problems }): Warning => ({
        code: missing ? 'verify.backup-missing' : 'verify.backup-damaged',
        message: missing
          ? `Backup ${backup} is not in the repository any more.`
          : `Backup ${backup}: ${problems.map(({ object, message }) => `${object} is ${message}`).join('; ')}.`,
      })),
      warningCount: bad.length,
      verified,
      ...news,
    };
  }
}

async function contentsOf(repository: Repository, wanted: ReadonlySet<string>): Promise<Contents> {
  const byCollection: { collection: Collection; manifests: Manifest[] }[] = [];
  const unreadable: string[] = [];
  for (const id of await repository.collections()) {
    const collection = repository.collection(id);
    const manifests: Manifest[] = [];
    for await (const found of collection.listBackups()) {
      if (!('manifest' in found)) unreadable.push(found.name);
      else if (wanted.has(found.manifest.backup)) manifests.push(found.manifest);
    }
    if (manifests.length > 0) byCollection.push({ collection, manifests });
  }
  return { byCollection, unreadable };
}

function bytesNeededBy({ volumes }: Manifest): number {
  return volumes.reduce((sum, { liveBytes }) => sum + liveBytes, 0);
}
