import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { CatenaError, type AggregateRef } from '@catena/events';
import { z } from 'zod';
import type { Snapshot, SnapshotStore } from '../port/snapshot-store.ts';
import type { NatsLink } from './nats-link.ts';
import { SNAPSHOT_SUBJECT_ROOT, SNAPSHOTS_STREAM } from './stream-settings.ts';
import { withPatience } from './with-patience.ts';

const kept = z.object({
  head: z.object({ sequence: z.number().int(), hash: z.string() }),
  eventCount: z.number().int(),
  foldVersion: z.number().int(),
  state: z.unknown(),
});

/** A snapshot must not hold up what it is to speed up; milliseconds. */
const PATIENCE = 2_000;

/** Room that headers and subject take of the server's limit, in bytes. */
const HEADROOM = 4096;

const FOLD = /^[A-Za-z0-9_-]{1,64}$/;

/** Opens the snapshots on a connection of a service. */
export function openSnapshotStore(link: NatsLink): SnapshotStore {
  return new JetStreamSnapshotStore(link);
}

/** A key-value bucket; the values are JSON compressed with zstd. */
class JetStreamSnapshotStore implements SnapshotStore {
  readonly #link: NatsLink;

  constructor(link: NatsLink) {
    this.#link = link;
  }

  async load(aggregate: AggregateRef, fold: string): Promise<Snapshot | undefined> {
    const { direct } = await this.#link.manager();
    const subject = subjectOf(aggregate, fold);
    const message = await this.#patiently('loading a snapshot', () =>
      direct.getMessage(SNAPSHOTS_STREAM, { last_by_subj: subject }),
    );
    if (!message) return undefined;
    const { state, ...rest } = kept.parse(JSON.parse(zstdDecompressSync(message.data).toString('utf8')));
    return { ...rest, state };
  }

  async save(aggregate: AggregateRef, fold: string, snapshot: Snapshot): Promise<void> {
    const subject = subjectOf(aggregate, fold);
    const bytes = zstdCompressSync(JSON.stringify(snapshot));
    const limit = this.#link.server()?.maxPayload;
    if (limit !== undefined && bytes.byteLength + HEADROOM > limit) {
      throw new CatenaError(
        'event-log.snapshot-too-large',
        `The snapshot of the ${aggregate.type} "${aggregate.id}" has ${bytes.byteLength} bytes, and the server takes ${limit}.`,
        {
          remedy: 'Raise max_payload of the NATS server; until then it is loaded from its events.',
          details: { limit },
        },
      );
    }
    await this.#patiently('keeping a snapshot', () => this.#link.js.publish(subject, bytes));
  }

  #patiently<T>(doing: string, work: () => Promise<T>): Promise<T> {
    return withPatience(this.#link, doing, work, { patienceMilliseconds: PATIENCE });
  }
}

function subjectOf(aggregate: AggregateRef, fold: string): string {
  if (!FOLD.test(fold)) {
    throw new CatenaError('event-log.fold-name', `"${fold}" cannot name a fold.`, {
      remedy: 'Use 1 to 64 letters, digits, "-" or "_".',
    });
  }
  return `${SNAPSHOT_SUBJECT_ROOT}.${aggregate.type}.${aggregate.id}.${fold}`;
}
