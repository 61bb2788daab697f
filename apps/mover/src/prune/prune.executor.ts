import type { RunPlan, Warning } from '@catena/events';
import { CLOCK, Log, type Clock } from '@catena/service';
import { Inject, Injectable } from '@nestjs/common';
import type { Execution, RunExecutor, WorkDone } from '../execution/run-executor.ts';
import { Installation } from '../repository/installation.ts';
import { RepositoryOpener } from '../repository/repository-opener.ts';

type PrunePlan = Extract<RunPlan, { kind: 'prune' }>;

/**
 * Deletes the objects of condemned backups, from manifests in clear: no key is needed. What a manifest that stays needs is
 * left, and is a warning. Any number of pruners may do the same at once, or after each other.
 */
@Injectable()
export class PruneExecutor implements RunExecutor<'prune'> {
  readonly kind = 'prune';

  constructor(
    @Inject(RepositoryOpener) private readonly repositories: RepositoryOpener,
    @Inject(Installation) private readonly installation: Installation,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Log) private readonly log: Log,
  ) {}

  async execute(execution: Execution<PrunePlan>): Promise<WorkDone> {
    const { plan, signal, progress } = execution;
    const startedAt = this.clock.now();
    progress.enter('deleting');
    const repository = await this.repositories.openWithoutKeys(plan.repository);
    try {
      const report = await repository.prune(plan.collection, {
        installation: await this.installation.id(),
        backups: plan.backups,
        signal,
        assertHeld: () => execution.assertHeld(),
        onProgress: ({ objects, bytes }) => progress.update({ files: objects, bytes }),
      });
      const { objects, bytes, needed } = report;
      this.log.info('pruned', { backups: report.deleted.length, objects, bytes, needed: needed.length });
      return {
        statistics: {
          files: objects,
          bytes,
          bytesRead: 0,
          bytesAdded: 0,
          milliseconds: this.clock.now() - startedAt,
        },
        warnings: needed.map(warningOf),
        warningCount: needed.length,
        deleted: [...report.deleted],
      };
    } finally {
      await repository.close();
    }
  }
}

function warningOf({ backup, by }: { backup: string; by: readonly string[] }): Warning {
  return {
    code: 'prune.still-needed',
    message: `Backup ${backup} was left: ${by.slice(0, 3).join(', ')}${by.length > 3 ? ', …' : ''} needs it, which the log did not know. Run catena catalog rescan.`,
  };
}
