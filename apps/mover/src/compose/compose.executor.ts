import type { ComposePlan } from '@catena/events';
import { CLOCK, crashPoint, Log, type Clock } from '@catena/service';
import type { Collection, ComposingSpace, FinishedBackup } from '@catena/vault';
import { Inject, Injectable } from '@nestjs/common';
import { damageOf } from '../execution/damage-of.ts';
import { manifestReportOf } from '../execution/manifest-report.ts';
import type { Execution, RunExecutor, WorkDone } from '../execution/run-executor.ts';
import { RepositoryOpener } from '../repository/repository-opener.ts';

/**
 * Composes a full out of what is in the repository. The source is not looked at: it may be off, or out of reach of this
 * mover. As with a backup the manifest is the commit point, and one that is there is adopted (architecture.md section 5).
 */
@Injectable()
export class ComposeExecutor implements RunExecutor<'compose'> {
  readonly kind = 'compose';

  constructor(
    @Inject(RepositoryOpener) private readonly repositories: RepositoryOpener,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Log) private readonly log: Log,
  ) {}

  async execute(execution: Execution<ComposePlan>): Promise<WorkDone> {
    const startedAt = this.clock.now();
    const { plan, run } = execution;
    const { repository, news } = await this.repositories.open(plan.repository);
    let space: ComposingSpace | undefined;
    try {
      const collection = repository.collection(plan.collection);
      const before = await collection.adopt(run);
      if (before !== undefined)
        this.log.info('adopted the manifest of an earlier attempt', { name: before.name });
      const announce = (announced: ComposingSpace) => {
        space = announced;
        this.log.info('announced the space that composing takes', { from: plan.from, ...announced });
      };
      const finished = before ?? (await this.#compose(execution, collection, startedAt, announce));
      return { ...this.#reported(finished, plan, space, startedAt), ...news };
    } catch (error) {
      throw damageOf(error, plan.from);
    } finally {
      await repository.close();
    }
  }

  async #compose(
    execution: Execution<ComposePlan>,
    collection: Collection,
    startedAt: number,
    onSpace: (space: ComposingSpace) => void,
  ): Promise<FinishedBackup> {
    const { plan, run, attempt, signal, progress } = execution;
    const { statistics } = (await collection.backup(plan.from)).manifest;
    progress.enter('composing');
    const finished = await collection.compose(
      { backupId: plan.backup, run, attempt, startedAt: new Date(startedAt), from: plan.from },
      {
        signal,
        onSpace,
        onProgress: ({ files, bytesRead }) => {
          progress.update({
            files,
            bytes: bytesRead,
            totalFiles: statistics.files,
            totalBytes: statistics.bytes,
          });
          crashPoint('mover.during-compose');
        },
        beforeManifest: async () => {
          progress.enter('writing');
          await execution.assertHeld();
          crashPoint('mover.before-manifest');
        },
      },
    );
    crashPoint('mover.after-manifest');
    return finished;
  }

  #reported(
    finished: FinishedBackup,
    { from }: ComposePlan,
    space: ComposingSpace | undefined,
    startedAt: number,
  ): WorkDone {
    const { manifest } = finished;
    const { files, bytes, bytesStored } = manifest.statistics;
    return {
      statistics: {
        files,
        bytes,
        bytesRead: bytes,
        bytesAdded: bytesStored,
        milliseconds: this.clock.now() - startedAt,
      },
      manifest: manifestReportOf({ ref: finished, manifest }),
      // What could not be read was said when it was not read.
      warnings: [],
      warningCount: 0,
      composed: {
        from,
        ...(space === undefined ? {} : { spaceNeeded: space.needed }),
        ...(space?.free === undefined ? {} : { spaceFree: space.free }),
      },
    };
  }
}
