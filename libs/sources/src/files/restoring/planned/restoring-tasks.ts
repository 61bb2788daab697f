/** What the threads of a restore do: they read, verify and write files by plan. */
import type { ContentPlan, PlannedPiece, PlanReader, TaskContext } from '@catena/vault/threads';
import type { RestoreWarning } from '../../../port/source-driver.ts';
import { FolderHandle, type ByteString } from '../../../system-calls/index.ts';
import { Metadata, type RestoredMetadata } from '../metadata.ts';
import { RestoreWarnings } from '../restore-warnings.ts';
import { BlockMemory } from './block-memory.ts';
import { unpackBatch, type FileBatch, type PlannedSmallFile } from './file-batch.ts';
import { LargeFile } from './large-file.ts';
import { PlannedFile } from './planned-file.ts';
import { kept, planReaderOf, triesToRead, triesToReadHere } from './thread-state.ts';

/** What a thread must know of a file that it makes. */
export interface FileToMake {
  /** Descriptor of the folder it goes into. */
  readonly folder: number;
  readonly name: ByteString;
  readonly path: ByteString;
  readonly sha256: Uint8Array;
  readonly size: number;
  /** With the ids of whose it becomes. Absent: somebody else sees to it. */
  readonly metadata?: RestoredMetadata;
  /** Whether to wait until it is on disk. */
  readonly sync: boolean;
}

/** Small files whose content one plan tells. */
export interface SmallFiles {
  readonly plan: ContentPlan;
  readonly batch: FileBatch;
}

export interface MadeFiles {
  /** Of each file whether it was made; what was not could not be read as planned, and is not there. */
  readonly made: readonly boolean[];
  readonly warnings: readonly RestoreWarning[];
  readonly warningCount: number;
}

function metadataOf(context: TaskContext): { metadata: Metadata; warnings: RestoreWarnings } {
  return kept(context, 'metadata', () => {
    const warnings = new RestoreWarnings();
    return { metadata: new Metadata('id', warnings), warnings };
  });
}

const fileOf = (context: TaskContext, lane: number): LargeFile => {
  const file = context.state.get(`lane ${lane}`);
  if (file instanceof LargeFile) return file;
  throw new Error(`no file is open on lane ${lane}`);
};

/** Takes a file from its lane. Nothing is being written to it any more; it is still open. */
async function stopped(context: TaskContext, lane: number): Promise<LargeFile> {
  const file = fileOf(context, lane);
  context.state.delete(`lane ${lane}`);
  await file.stop();
  return file;
}

function reported(made: boolean[], context: TaskContext): MadeFiles {
  const { warnings } = metadataOf(context);
  const { count } = warnings;
  warnings.count = 0;
  return { made, warnings: warnings.list.splice(0), warningCount: count };
}

/** Brings a file to its end; false when its content is not what it was, and then it is gone. */
function complete(file: PlannedFile | LargeFile, wanted: FileToMake, context: TaskContext): boolean {
  if (!file.holds(wanted.size, wanted.sha256)) {
    file.remove();
    return false;
  }
  if (wanted.metadata) {
    const place = { folder: file.folder, name: wanted.name };
    metadataOf(context).metadata.apply(wanted.path, wanted.metadata, place, { isNew: true });
  }
  file.close(wanted.sync);
  return true;
}

function makeSmall(
  folder: FolderHandle,
  wanted: PlannedSmallFile,
  pieces: Iterable<PlannedPiece>,
  context: TaskContext,
): boolean {
  const file = new PlannedFile(folder, wanted.name);
  const write = () => (wanted.stretches === 1 ? file.writeWhole(pieces) : file.write(pieces));
  try {
    if (triesToReadHere(write)) return complete(file, wanted, context);
    file.remove();
    return false;
  } finally {
    file.close(false);
  }
}

export const restoringTasks = {
  /** Makes files whose content is small. */
  files({ plan, batch }: SmallFiles, context: TaskContext): MadeFiles {
    const reader: PlanReader = planReaderOf(context);
    const made = new Array<boolean>(batch.count).fill(false);
    triesToReadHere(() => {
      const pass = reader.begin(plan);
      let stretch = 0;
      let i = 0;
      let folder: FolderHandle | undefined;
      for (const file of unpackBatch(batch)) {
        pass.skipTo(stretch);
        if (folder?.fd !== file.folder) folder = FolderHandle.borrowed(file.folder);
        made[i++] = makeSmall(folder, file, pass.pieces(file.stretches), context);
        stretch += file.stretches;
      }
    });
    return reported(made, context);
  },

  /** Begins a file whose content comes in several plans, all of them given to one thread. */
  open(
    { lane, folder, name, size }: Pick<FileToMake, 'folder' | 'name' | 'size'> & { readonly lane: number },
    context: TaskContext,
  ): void {
    const memory = kept(context, 'blocks', () => new BlockMemory());
    context.state.set(`lane ${lane}`, new LargeFile(FolderHandle.borrowed(folder), name, size, memory));
  },

  /** The next part of its content; false when it could not be read as planned. Some of it may still be being written. */
  async write(
    { lane, plan }: { readonly lane: number; readonly plan: ContentPlan },
    context: TaskContext,
  ): Promise<boolean> {
    const file = fileOf(context, lane);
    return await triesToRead(async () => {
      await file.write(planReaderOf(context).begin(plan).pieces());
    });
  },

  /** All of it was given. */
  async end(
    { lane, file: wanted }: { readonly lane: number; readonly file: FileToMake },
    context: TaskContext,
  ): Promise<MadeFiles> {
    const file = fileOf(context, lane);
    context.state.delete(`lane ${lane}`);
    try {
      await file.written();
      return reported([complete(file, wanted, context)], context);
    } finally {
      await file.stop();
      file.close(false);
    }
  },

  /** Ends with a file where it is. It stays: an attempt that has superseded this one may go on with it. */
  async leave({ lane }: { readonly lane: number }, context: TaskContext): Promise<void> {
    (await stopped(context, lane)).close(false);
  },

  /** Gives a file up that could not be read as planned; it is removed. */
  async drop({ lane }: { readonly lane: number }, context: TaskContext): Promise<void> {
    (await stopped(context, lane)).remove();
  },
};
