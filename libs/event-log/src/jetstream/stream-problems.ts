import type { StreamConfig } from '@nats-io/jetstream';
import { CatenaError } from '@catena/events';
import { EVENTS_SETTINGS, EVENTS_STREAM } from './stream-settings.ts';

/** One setting of the log's stream that is not what keeps it append-only. */
export interface WrongSetting {
  readonly setting: string;
  readonly wanted: string;
  readonly found: string;
}

/** Settings that must be absent: they move or remove messages, or acknowledge before writing. */
const MUST_BE_ABSENT = [
  'mirror',
  'sources',
  'subject_transform',
  'subject_delete_marker_ttl',
  'first_seq',
] as const;

/** Oldest server with atomic batches and wildcard expectations. */
export const MINIMUM_SERVER_VERSION = '2.12.0';

/** Compares a stream's configuration, as the server tells it, with what the log needs. Empty when all is well. */
export function wrongSettings(config: Partial<StreamConfig>): WrongSetting[] {
  const wrong: WrongSetting[] = [];
  for (const [setting, wanted] of Object.entries(EVENTS_SETTINGS)) {
    const found = config[setting as keyof StreamConfig] ?? defaultOf(wanted);
    const fits =
      setting === 'duplicate_window'
        ? Number(found) >= Number(wanted)
        : JSON.stringify(found) === JSON.stringify(wanted);
    if (!fits) wrong.push({ setting, wanted: JSON.stringify(wanted), found: JSON.stringify(found) });
  }
  for (const setting of MUST_BE_ABSENT) {
    const found = config[setting];
    if (found === undefined || (Array.isArray(found) && found.length === 0) || found === 0) continue;
    wrong.push({ setting, wanted: 'nothing', found: JSON.stringify(found) });
  }
  if (config.persist_mode === 'async')
    wrong.push({ setting: 'persist_mode', wanted: '"default"', found: '"async"' });
  return wrong;
}

/** The server leaves out what is off. */
function defaultOf(wanted: unknown): unknown {
  return typeof wanted === 'boolean' ? false : undefined;
}

/** The log's stream could lose events. Nothing is appended to it. */
export class StreamMisconfiguredError extends CatenaError {
  readonly wrong: readonly WrongSetting[];

  constructor(wrong: readonly WrongSetting[]) {
    const list = wrong
      .map(({ setting, wanted, found }) => `${setting} is ${found}, not ${wanted}`)
      .join('; ');
    super('event-log.stream-misconfigured', `The stream ${EVENTS_STREAM} is not append-only: ${list}.`, {
      remedy: `Set these back with an administrator's account (nats stream edit ${EVENTS_STREAM}); what cannot be changed needs an export, a new stream and an import.`,
      details: { stream: EVENTS_STREAM, wrong },
    });
    this.wrong = wrong;
  }
}

/** The streams are not there, or not yet. */
export class StreamMissingError extends CatenaError {
  constructor(doing: string) {
    super('event-log.stream-missing', `The NATS server does not have the streams of Catena: ${doing}.`, {
      remedy: 'Set the streams up with the operator\'s account: "catena up" does it on one machine.',
      retryable: true,
    });
  }
}

/** @throws CatenaError `event-log.server-too-old` */
export function checkServerVersion(version: string): void {
  const numbers = (text: string) => text.split(/[.-]/).slice(0, 2).map(Number);
  const [major = 0, minor = 0] = numbers(version);
  const [wantedMajor = 0, wantedMinor = 0] = numbers(MINIMUM_SERVER_VERSION);
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return;
  throw new CatenaError(
    'event-log.server-too-old',
    `The NATS server has version ${version}; the event log needs ${MINIMUM_SERVER_VERSION} or newer.`,
    { remedy: 'Run a newer nats-server.', details: { version, minimum: MINIMUM_SERVER_VERSION } },
  );
}
