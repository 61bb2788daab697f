import type { Hash } from 'node:crypto';
import type { TaskContext } from '../../workers/task.ts';
import { BlockIdentities } from './block-identity.ts';
import { PackFiller } from './pack-filler.ts';
import { RecentBlocks } from './recent-blocks.ts';
import type { Filled, StationOptions } from './station-tasks.ts';

/** What one thread keeps of one backup. */
export interface Station {
  readonly identities: BlockIdentities;
  readonly recent: RecentBlocks;
  readonly filler: PackFiller;
  readonly lanes: Map<number, Hash>;
}

export function open(options: StationOptions, { state }: TaskContext): void {
  const recent = new RecentBlocks(options.recent);
  const station: Station = {
    identities: new BlockIdentities(options.identityKey),
    recent,
    filler: new PackFiller(options, recent),
    lanes: new Map(),
  };
  state.set('station', station);
}

/** Keeps nothing of the backup, least of all its keys. */
export function leave(_: object, { state }: TaskContext): void {
  state.delete('station');
}

export function stationOf({ state }: TaskContext): Station {
  return state.get('station') as Station;
}

/** What a task has sealed, and the memory that changes its owner with it. */
export function filled(filler: PackFiller): { output: Filled; buffers: ArrayBuffer[] } {
  const output = filler.take();
  return { output, buffers: output.sealed.map(({ bytes }) => bytes.buffer) };
}
