import { ChangesMalformedError } from '../error/writer-error.ts';
import { LEAF_BLOCKS } from '../map/leaf-page.ts';
import type { ChangedContent, ChangedRun } from '../port/backup-writer.ts';

/** A leaf some blocks of which were changed. */
export interface ChangedLeaf {
  readonly number: number;
  /** The changed blocks by their place in the leaf. */
  readonly blocks: ReadonlyMap<number, Uint8Array>;
}

/** Leaves that are handed on together, so that what the parent has of them is read with few calls. */
const LEAVES_AT_ONCE = 32;
/** Bytes of changes after which they are handed on, however few leaves they are of. */
const BYTES_AT_ONCE = 512 * 1024;

/** The changes, copied: leaves in the file's order, several at a time. */
export async function* changedLeaves(
  content: ChangedContent,
  blockSize: number,
): AsyncGenerator<readonly ChangedLeaf[], void, void> {
  let leaves: { number: number; blocks: Map<number, Uint8Array> }[] = [];
  let bytes = 0;
  for await (const { number, memory } of changedBlocks(content, blockSize)) {
    const leaf = Math.floor(number / LEAF_BLOCKS);
    if (leaves.at(-1)?.number !== leaf) {
      if (leaves.length === LEAVES_AT_ONCE || bytes >= BYTES_AT_ONCE) {
        yield leaves;
        leaves = [];
        bytes = 0;
      }
      leaves.push({ number: leaf, blocks: new Map() });
    }
    leaves.at(-1)?.blocks.set(number % LEAF_BLOCKS, memory);
    bytes += memory.length;
  }
  if (leaves.length > 0) yield leaves;
}

/** The changed blocks one by one, each with its number. */
async function* changedBlocks(
  content: ChangedContent,
  blockSize: number,
): AsyncGenerator<{ readonly number: number; readonly memory: Uint8Array }, void, void> {
  const size = Number(content.size);
  let least = 0;
  const check = ({ offset, bytes }: ChangedRun) => {
    const at = Number(offset);
    const end = at + bytes.length;
    const refuse = (rule: string): never => {
      throw new ChangesMalformedError(content.before.path, offset, bytes.length, rule);
    };
    if (at % blockSize !== 0) refuse(`must begin at a multiple of ${blockSize}`);
    if (at < least) refuse('must come after the one before it');
    if (end > size) refuse(`must end within the content (${size} bytes)`);
    if (end % blockSize !== 0 && end !== size) refuse(`must be whole blocks of ${blockSize} bytes`);
    least = end;
    return at;
  };
  for await (const run of content.changes) {
    const at = check(run);
    // The memory of the run is used again for the next one.
    const bytes = Uint8Array.from(run.bytes);
    for (let done = 0; done < bytes.length; done += blockSize)
      yield { number: (at + done) / blockSize, memory: bytes.subarray(done, done + blockSize) };
  }
}
