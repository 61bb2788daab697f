/**
 * Looks now and then how much the collection's slot holds back, and raises an alarm before the server lets it go. Where the server itself
 * bounds nothing (`unbounded: true`) it lets the slot go when `holdLimit` is reached, whatever the repository does (rules.md 3.12).
 */
import type { DriverAlarm } from '../../port/source-driver.ts';
import type { ReplicationConnection } from '../wire/connection.ts';
import { identifySystem, readSettings } from '../wire/system.ts';
import { giveUpHold, readHold, slotOf } from './held-log.ts';
import { holdRoom, isShort, type HoldRoom } from './hold-room.ts';

const LOOK_MILLISECONDS = 5_000;
const MEGABYTE = 1_000_000n;

export interface HoldWatchOptions {
  readonly collection: string;
  /** From where the log is needed; what a server that cannot be asked for its slots is taken to hold. */
  readonly start: bigint;
  /** Bytes, as the definition has it. */
  readonly holdLimit: number | undefined;
  readonly raise: (alarm: DriverAlarm) => void;
  /** Ends the connection that reads through the slot. */
  readonly endReading: () => void;
  /** Another connection: that of the backup may stand still. */
  readonly open: () => Promise<ReplicationConnection>;
  readonly everyMilliseconds?: number;
}

export class HoldWatch {
  readonly #options: HoldWatchOptions;
  readonly #timer: NodeJS.Timeout;
  #isLooking = false;
  #isRaised = false;
  #isGivenUp = false;

  constructor(options: HoldWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#lookAgain(), options.everyMilliseconds ?? LOOK_MILLISECONDS);
  }

  /**
   * Looks once before the log is read, on the connection that will read it. What is recorded does not count: the slot
   * may not have followed yet, and does when the reading begins.
   */
  async lookBefore(connection: ReplicationConnection): Promise<void> {
    await this.#look(connection, this.#options.start);
  }

  /** @param recorded up to there the slot is about to let go */
  async #look(connection: ReplicationConnection, recorded = 0n): Promise<void> {
    const { collection, start, holdLimit, raise } = this.#options;
    if (this.#isGivenUp) return;
    const held = await readHold(connection, collection);
    if (held === undefined || held.kind === 'lost') return;
    const settings = await readSettings(connection);
    const { position } = await identifySystem(connection);
    const restart = held.restartPosition ?? start;
    const room = holdRoom(settings, restart > recorded ? restart : recorded, position, holdLimit);
    if (room === undefined || !isShort(room)) return;
    if (settings.slotLimit === undefined && room.safe <= 0n) await this.#giveUp(connection, room);
    if (this.#isRaised) return;
    this.#isRaised = true;
    raise({
      code: 'postgres.holdNearLimit',
      message: `The slot ${slotOf(collection)} holds back ${room.held / MEGABYTE} MB of log; at ${room.limit / MEGABYTE} MB it is let go, and there is a gap.`,
      remedy:
        'Look why log backups are behind: the repository, the mover, the network. A larger max_slot_wal_keep_size gives more time.',
    });
  }

  async #giveUp(connection: ReplicationConnection, { held, limit }: HoldRoom): Promise<void> {
    const { collection, raise, endReading } = this.#options;
    endReading();
    // When that fails it is tried again at the next look: until it is gone nothing bounds it.
    await giveUpHold(connection, collection);
    this.#isRaised = this.#isGivenUp = true;
    raise({
      code: 'postgres.holdLimitReached',
      message: `The slot ${slotOf(collection)} held back ${held / MEGABYTE} MB of log, its holdLimit is ${limit / MEGABYTE} MB, and the server bounds nothing: it was dropped.`,
      remedy:
        'Look why log backups are behind. What of the log the server still has is backed up by the next one, else the next data backup begins the log chain again.',
    });
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** A server that cannot be asked now is asked again: the backup itself says what is wrong with it. */
  async #lookAgain(): Promise<void> {
    if (this.#isLooking || this.#isGivenUp) return;
    this.#isLooking = true;
    try {
      using connection = await this.#options.open();
      await this.#look(connection);
    } catch {
      return;
    } finally {
      this.#isLooking = false;
    }
  }
}
