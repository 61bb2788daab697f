import type { ManifestReport, RunPlan, Warning } from '@catena/events';
import { CLOCK, type Clock } from '@catena/service';
import { Inject, Injectable } from '@nestjs/common';
import { manifestReportOf } from '../execution/manifest-report.ts';
import type { Execution, RunExecutor, WorkDone } from '../execution/run-executor.ts';
import { RepositoryOpener } from '../repository/repository-opener.ts';

type RescanPlan = Extract<RunPlan, { kind: 'rescan' }>;

const WARNINGS_REPORTED = 100;

/** Reads every manifest of a repository; needs no key. One that cannot be read is a warning and stops no other. */
@Injectable()
export class RescanExecutor implements RunExecutor<'rescan'> {
  readonly kind = 'rescan';

  constructor(
    @Inject(RepositoryOpener) private readonly repositories: RepositoryOpener,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async execute({ plan, signal, progress }: Execution<RescanPlan>): Promise<WorkDone> {
    const startedAt = this.clock.now();
    const repository = await this.repositories.openWithoutKeys(plan.repository);
    const found: ManifestReport[] = [];
    const warnings: Warning[] = [];
    try {
      for (const id of await repository.collections()) {
        for await (const backup of repository.collection(id).listBackups()) {
          signal.throwIfAborted();
          if ('manifest' in backup) found.push(manifestReportOf(backup));
          else warnings.push({ code: backup.error.code, path: backup.name, message: backup.error.message });
          progress.update({ files: found.length, bytes: 0 });
        }
      }
    } finally {
      await repository.close();
    }
    const bytes = found.reduce((sum, { bytesAdded }) => sum + bytesAdded, 0);
    const milliseconds = this.clock.now() - startedAt;
    return {
      statistics: { files: found.length, bytes, bytesRead: 0, bytesAdded: 0, milliseconds },
      warnings: warnings.slice(0, WARNINGS_REPORTED),
      warningCount: warnings.length,
      found,
    };
  }
}
