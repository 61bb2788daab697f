import { OwnThread } from '../workers/own-thread.ts';
import type { SpareThreads } from '../workers/spare-threads.ts';
import type { TaskRunner } from '../workers/task.ts';
import { WorkerPool } from '../workers/worker-pool.ts';
import { workerProgram } from '../workers/worker-thread.ts';
import type { PackSink } from './pack-sink.ts';
import type { StationHandlers } from './station/station-handlers.ts';
import { stationHandlers } from './station/station-handlers.ts';
import type {
  FilesInput,
  FilesOutput,
  Filled,
  ReadInput,
  ReadOutput,
  StationOptions,
  StoreInput,
  StoreOutput,
} from './station/station-tasks.ts';
import type { UnitPlaces } from './unit-places.ts';

/** What is less than this in all is done on the caller's thread: another would not have started by then. */
const OWN_BYTES = 2 * 1024 * 1024;

export interface StationsParts {
  readonly options: StationOptions;
  /** Threads to use; none means the caller's own. */
  readonly workers: number;
  /** Where they come from and go to; else they are started and ended. */
  readonly threads?: SpareThreads<StationHandlers>;
  readonly sink: PackSink;
  readonly places: UnitPlaces;
}

interface Station {
  readonly runner: TaskRunner<StationHandlers>;
  /** Resolves when it knows what it fills. */
  readonly opened: Promise<void>;
  /** Bytes of tasks that have not ended. */
  load: number;
}

/** The next bytes of one file go to the same station, which keeps the file's hash. */
export interface Lane {
  readonly number: number;
  readonly station: number;
}

/**
 * The threads that read, cut, hash, compress and seal for one backup. Each fills packs of its own; what they have sealed
 * goes to the sink.
 */
export class Stations {
  private readonly parts: StationsParts;
  private readonly pool: WorkerPool<StationHandlers>;
  private readonly stations: (Station | undefined)[] = [];
  private taken = 0;
  private lanes = 0;
  private hasLeft = false;
  /** Bytes of blocks that were put into units. */
  blockBytes = 0;

  constructor(parts: StationsParts) {
    this.parts = parts;
    this.pool = new WorkerPool({
      program: workerProgram('./station/station-worker', import.meta.url),
      workers: Math.max(1, parts.workers),
      ...(parts.threads === undefined ? {} : { spare: parts.threads }),
    });
  }

  /** Station 0 is the caller's thread, the others are threads of their own. */
  private station(number: number): Station {
    let station = this.stations[number];
    if (station === undefined) {
      const runner = number === 0 ? new OwnThread(stationHandlers) : this.pool.on(number - 1);
      const opened = runner.run('open', this.parts.options);
      opened.catch(() => undefined); // thrown to whoever uses it
      station = this.stations[number] = { runner, opened, load: 0 };
    }
    return station;
  }

  private leastLoaded(): number {
    const { workers } = this.parts;
    if (workers === 0 || this.taken < OWN_BYTES) return 0;
    this.leaveOwnThread();
    let best = 1;
    for (let number = 1; number <= workers; number++) {
      const load = this.stations[number]?.load ?? 0;
      if (load < (this.stations[best]?.load ?? 0)) best = number;
    }
    return best;
  }

  /** Nothing more comes there: what waits for the place of its open unit would wait to the end. */
  private leaveOwnThread(): void {
    const own = this.stations[0];
    if (own === undefined || this.hasLeft) return;
    this.hasLeft = true;
    // After what is under way there; a failure is the next task's.
    void this.closeIn(own, 'unit').catch(() => undefined);
  }

  private async with<T>(number: number, bytes: number, work: (station: Station) => Promise<T>): Promise<T> {
    const station = this.station(number);
    this.taken += bytes;
    station.load += bytes;
    try {
      await station.opened;
      return await work(station);
    } finally {
      station.load -= bytes;
    }
  }

  /** @param size what is expected of the file */
  lane(size: number): Lane {
    const { workers } = this.parts;
    const small = workers === 0 || this.taken + size < OWN_BYTES;
    return { number: ++this.lanes, station: small ? 0 : Math.max(1, this.leastLoaded()) };
  }

  /** Reads, hashes and cuts the next bytes of a lane. Calls must come in the file's order and may overlap. */
  read(lane: Lane, input: Omit<ReadInput, 'lane'>): Promise<ReadOutput> {
    const bytes = input.filled + (input.from?.length ?? 0);
    return this.with(lane.station, bytes, ({ runner }) =>
      runner.run('read', { ...input, lane: lane.number }),
    );
  }

  async forget(lane: Lane): Promise<void> {
    await this.with(lane.station, 0, ({ runner }) => runner.run('forget', { lane: lane.number }));
  }

  identities(input: StoreInput, bytes: number): Promise<StoreOutput> {
    return this.with(this.leastLoaded(), bytes, ({ runner }) => runner.run('identities', input));
  }

  /** Stores what is new in a buffer. */
  async store(input: StoreInput, bytes: number): Promise<StoreOutput> {
    await this.parts.sink.room();
    return this.with(this.leastLoaded(), bytes, async ({ runner }) => {
      const spare = this.parts.sink.takeSpare();
      const output = await runner.run('store', { ...input, spare }, spare);
      this.takeOver(output);
      return output;
    });
  }

  /** As `store`, of whole small files. */
  async storeFiles(input: FilesInput, bytes: number): Promise<FilesOutput> {
    await this.parts.sink.room();
    return this.with(this.leastLoaded(), bytes, async ({ runner }) => {
      const spare = this.parts.sink.takeSpare();
      const output = await runner.run('storeFiles', { ...input, spare }, spare);
      this.takeOver(output);
      return output;
    });
  }

  private takeOver({ units, sealed, blockBytes }: Filled): void {
    const { sink, places } = this.parts;
    this.blockBytes += blockBytes;
    for (const { pack, bytes, last } of sealed) sink.write(pack, bytes, last);
    for (const { unit, pack, offset, length } of units) places.placed(unit, pack, offset, length);
  }

  private open(): Station[] {
    return this.stations.filter((station) => station !== undefined);
  }

  private async closeAll(what: 'unit' | 'pack'): Promise<void> {
    await Promise.all(this.open().map((station) => this.closeIn(station, what)));
  }

  private async closeIn({ runner, opened }: Station, what: 'unit' | 'pack'): Promise<void> {
    await opened;
    this.takeOver(await runner.run('close', { what }));
  }

  /** Closes the open units, however small, so that what waits for their places can go on. */
  flush(): Promise<void> {
    return this.closeAll('unit');
  }

  /** Closes the open packs and lets go of the threads. Nothing may be under way. */
  async finish(): Promise<void> {
    await this.closeAll('pack');
    await Promise.all(this.open().map(({ runner }) => runner.run('leave', {})));
    await this.pool.retire();
  }

  /** Ends the threads at once. */
  async abandon(reason: Error): Promise<void> {
    await this.pool.close(reason);
  }
}
