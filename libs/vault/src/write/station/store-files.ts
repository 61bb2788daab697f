import { hash } from 'node:crypto';
import type { TaskContext } from '../../workers/task.ts';
import { Transferring } from '../../workers/task.ts';
import { filled, stationOf } from './station.ts';
import type { FilesInput, FilesOutput } from './station-tasks.ts';
import { BLOCK_WORDS } from './station-tasks.ts';
import type { Cut } from './store-blocks.ts';
import { decide, fill, identify, wordsOf } from './store-blocks.ts';

/** Bytes of a SHA-256. */
const HASH_BYTES = 32;

/** The blocks of all files, and which file each belongs to. */
function cutFiles(bytes: Buffer, { offsets, lengths, blockSize }: FilesInput): Cut & { fileOf: Uint32Array } {
  const count = lengths.reduce((sum, length) => sum + Math.ceil(length / blockSize), 0);
  const cut = {
    bytes,
    sizes: new Uint32Array(count),
    offsets: new Uint32Array(count),
    fileOf: new Uint32Array(count),
  };
  let block = 0;
  lengths.forEach((length, file) => {
    for (let done = 0; done < length; done += blockSize, block++) {
      cut.sizes[block] = Math.min(blockSize, length - done);
      cut.offsets[block] = (offsets[file] ?? 0) + done;
      cut.fileOf[block] = file;
    }
  });
  return cut;
}

function hashesOf(bytes: Buffer, { offsets, lengths }: FilesInput): Buffer<ArrayBuffer> {
  const hashes = Buffer.from(new ArrayBuffer(lengths.length * HASH_BYTES));
  lengths.forEach((length, file) => {
    const begin = offsets[file] ?? 0;
    hashes.write(
      hash('sha256', bytes.subarray(begin, begin + length), 'binary'),
      file * HASH_BYTES,
      'latin1',
    );
  });
  return hashes;
}

/** Stores whole files; one that is empty has no blocks. */
export function storeFiles(input: FilesInput, context: TaskContext): Transferring<FilesOutput> {
  const station = stationOf(context);
  const { buffer, lengths, spare = [] } = input;
  station.filler.reuse(spare);
  const bytes = Buffer.from(buffer);
  const cut = cutFiles(bytes, input);
  const { sizes, fileOf } = cut;
  const blocks = new Uint32Array(sizes.length * BLOCK_WORDS);
  const ids = identify(station, cut, true, blocks);
  const fresh = decide(station, { sizes }, wordsOf(ids), blocks);
  fill(station, cut, fresh, ids, blocks);
  const bytesNew = new Uint32Array(lengths.length);
  for (const i of fresh) {
    const file = fileOf[i] ?? 0;
    bytesNew[file] = (bytesNew[file] ?? 0) + (sizes[i] ?? 0);
  }
  const hashes = hashesOf(bytes, input);
  const { output, buffers } = filled(station.filler);
  return new Transferring({ ids, blocks, hashes, bytesNew, ...output }, [
    ...[ids.buffer, blocks.buffer, hashes.buffer, bytesNew.buffer],
    ...buffers,
  ]);
}
