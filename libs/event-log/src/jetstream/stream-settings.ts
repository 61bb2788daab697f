import type { StreamConfig } from '@nats-io/jetstream';
import { EVENT_SUBJECT_ROOT } from '@catena/events';

/** The log. */
export const EVENTS_STREAM = 'CATENA_EVENTS';
/** Hints that runs want a mover: a work queue. */
export const JOBS_STREAM = 'CATENA_JOBS';
export const JOB_SUBJECT_ROOT = 'catena.jobs';
/** What durable deliveries gave up on. */
export const DEAD_LETTERS_STREAM = 'CATENA_DEAD_LETTERS';
export const DEAD_LETTER_SUBJECT_ROOT = 'catena.dead.letters';
/** Dead letters that an operator wants delivered again: a work queue. */
export const REDELIVERIES_STREAM = 'CATENA_REDELIVERIES';
export const REDELIVERY_SUBJECT_ROOT = 'catena.dead.redeliver';
/** Snapshots of folded aggregates: a key-value bucket. Only services may write to it. */
export const SNAPSHOTS_STREAM = 'KV_CATENA_SNAPSHOTS';
export const SNAPSHOT_SUBJECT_ROOT = '$KV.CATENA_SNAPSHOTS';

const SECOND = 1_000_000_000;

/** How long the server remembers message ids, in nanoseconds: a repetition within it is answered at once. */
export const DUPLICATE_WINDOW = 120 * SECOND;

type Settings = Partial<StreamConfig> & Pick<StreamConfig, 'name'>;

const keptForever = {
  storage: 'file',
  retention: 'limits',
  max_msgs: -1,
  max_bytes: -1,
  max_age: 0,
  max_msgs_per_subject: -1,
  max_msg_size: -1,
  max_consumers: -1,
} as const;

/**
 * The settings of the log that make it append-only (architecture.md section 3). Each is checked at every start.
 * Message schedules stay off because they re-allow purging; TTLs and rollups because they delete; asynchronous
 * persistence because it acknowledges before anything is written.
 */
export const EVENTS_SETTINGS = {
  ...keptForever,
  name: EVENTS_STREAM,
  subjects: [`${EVENT_SUBJECT_ROOT}.>`],
  discard: 'new',
  discard_new_per_subject: false,
  deny_delete: true,
  deny_purge: true,
  allow_atomic: true,
  allow_direct: true,
  allow_rollup_hdrs: false,
  allow_msg_ttl: false,
  allow_msg_schedules: false,
  allow_msg_counter: false,
  no_ack: false,
  sealed: false,
  duplicate_window: DUPLICATE_WINDOW,
} as const satisfies Settings;

/** The other streams; losing their contents loses nothing that the log does not know. */
export const OTHER_STREAMS: readonly Settings[] = [
  {
    ...keptForever,
    name: JOBS_STREAM,
    subjects: [`${JOB_SUBJECT_ROOT}.>`],
    retention: 'workqueue',
    discard: 'new',
    duplicate_window: DUPLICATE_WINDOW,
    allow_direct: true,
  },
  {
    ...keptForever,
    name: DEAD_LETTERS_STREAM,
    subjects: [`${DEAD_LETTER_SUBJECT_ROOT}.>`],
    max_msgs_per_subject: 1,
    discard: 'old',
    allow_direct: true,
  },
  {
    ...keptForever,
    name: REDELIVERIES_STREAM,
    subjects: [`${REDELIVERY_SUBJECT_ROOT}.>`],
    retention: 'workqueue',
    discard: 'new',
  },
  {
    ...keptForever,
    name: SNAPSHOTS_STREAM,
    subjects: [`${SNAPSHOT_SUBJECT_ROOT}.>`],
    max_msgs_per_subject: 1,
    discard: 'new',
    deny_delete: true,
    allow_rollup_hdrs: true,
    allow_direct: true,
  },
];
