import { describe, expect, it } from '@jest/globals';
import type { StreamConfig } from '@nats-io/jetstream';
import { checkServerVersion, StreamMisconfiguredError, wrongSettings } from './stream-problems.ts';
import { EVENTS_SETTINGS } from './stream-settings.ts';

const good: Partial<StreamConfig> = { ...EVENTS_SETTINGS, subjects: [...EVENTS_SETTINGS.subjects] };

describe('the settings of the log', () => {
  it('are right as they are set up, also when the server leaves out what is off', () => {
    expect(wrongSettings(good)).toEqual([]);
    const { allow_msg_schedules, no_ack, allow_msg_counter, ...told } = good;
    expect([allow_msg_schedules, no_ack, allow_msg_counter]).toEqual([false, false, false]);
    expect(wrongSettings({ ...told, sources: [], metadata: { any: 'thing' }, compression: 's2' })).toEqual(
      [],
    );
  });

  it.each<[keyof StreamConfig, Partial<StreamConfig>]>([
    ['storage', { storage: 'memory' }],
    ['retention', { retention: 'interest' }],
    ['discard', { discard: 'old' }],
    ['discard_new_per_subject', { discard_new_per_subject: true }],
    ['max_msgs', { max_msgs: 1_000_000 }],
    ['max_bytes', { max_bytes: 1 }],
    ['max_age', { max_age: 1 }],
    ['max_msgs_per_subject', { max_msgs_per_subject: 1 }],
    ['max_msg_size', { max_msg_size: 1024 }],
    ['max_consumers', { max_consumers: 10 }],
    ['deny_delete', { deny_delete: false }],
    ['deny_purge', { deny_purge: false }],
    ['allow_atomic', { allow_atomic: false }],
    ['allow_direct', { allow_direct: false }],
    ['allow_rollup_hdrs', { allow_rollup_hdrs: true }],
    ['allow_msg_ttl', { allow_msg_ttl: true }],
    ['allow_msg_schedules', { allow_msg_schedules: true }],
    ['allow_msg_counter', { allow_msg_counter: true }],
    ['no_ack', { no_ack: true }],
    ['sealed', { sealed: true }],
    ['duplicate_window', { duplicate_window: 1_000_000_000 }],
    ['subjects', { subjects: ['catena.events.run.>'] }],
    ['mirror', { mirror: { name: 'OTHER' } }],
    ['sources', { sources: [{ name: 'OTHER' }] }],
    ['subject_transform', { subject_transform: { src: 'a', dest: 'b' } }],
    ['subject_delete_marker_ttl', { subject_delete_marker_ttl: 1_000_000_000 }],
    ['first_seq', { first_seq: 7 }],
    ['persist_mode', { persist_mode: 'async' }],
  ])('are refused by name: %s', (setting, change) => {
    expect(wrongSettings({ ...good, ...change }).map((wrong) => wrong.setting)).toEqual([setting]);
  });

  it('are all named at once', () => {
    const error = new StreamMisconfiguredError(wrongSettings({ ...good, max_age: 5, deny_purge: false }));
    expect(error).toMatchObject({ code: 'event-log.stream-misconfigured', retryable: false });
    expect(error.message).toContain('max_age is 5, not 0; deny_purge is false, not true');
  });

  it.each([
    ['2.9.25', false],
    ['2.11.9', false],
    ['2.12.0', true],
    ['2.15.1', true],
    ['3.0.0-beta.1', true],
  ])('need a server that can do it: %s', (version, enough) => {
    if (enough) checkServerVersion(version);
    else expect(() => checkServerVersion(version)).toThrow(`has version ${version}`);
  });
});
