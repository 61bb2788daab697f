import { describe } from '@jest/globals';
import { scheduleText } from '../testing/definition-texts.ts';
import { refuses } from '../testing/refusals.ts';

describe('schedules whose times, cadences or retention cannot be', () => {
  refuses([
    ['3.10 a bad cron', scheduleText('full: "61 * * * *"'), 'definition.cron', '7:10', /"61" for the minute/],
    [
      '3.10 a bad cron, pointed at within the text',
      scheduleText("full: {cron: '0 0 * * mno'}"),
      'definition.cron',
      '7:25',
      /Did you mean "mon"/,
    ],
    ['3.10 30 February', scheduleText('full: 0 0 30 2 *'), 'definition.cron', '7:13', /This day never comes/],
    ['3.10 an empty cron', scheduleText('full: ""'), 'definition.cron', '7:10', /an empty text/],
    [
      '3.10 an unknown zone',
      scheduleText('timeZone: Europe/Berln\nfull: "@daily"'),
      'definition.time-zone',
      '7:13',
      /Did you mean "Europe\/Berlin"/,
    ],
    [
      '1.2 copyOnly on an incremental',
      scheduleText('full: "@daily"\nincremental: {cron: "@daily", copyOnly: true}'),
      'definition.copy-only',
      '8:43',
      /use a copy-only full/,
    ],
    [
      '1.2 copyOnly on a full',
      scheduleText('full: {cron: "@daily", copyOnly: true}'),
      'definition.copy-only',
      '7:36',
      /beside a conventional/,
    ],
    [
      '1.2 a copy-only of another type',
      scheduleText('full: "@daily"\ncopyOnly: {cron: "@daily", type: incremental}'),
      'definition.shape',
      '8:36',
      /found "incremental", expected full/,
    ],
    [
      '3.1 a child longer than its parent',
      scheduleText('full: "@daily"\nincremental: "@weekly"'),
      'definition.cadence',
      '8:16',
      /"@weekly" \(up to 7 days apart\), expected nothing longer than the full's "@daily" \(up to 1 day apart\)/,
    ],
    [
      '3.1 a differential longer than its full',
      scheduleText('full: "0 2 * * *"\ndifferential: "0 2 * * 1-6"'),
      'definition.cadence',
      '8:17',
      /up to 2 days/,
    ],
    [
      '3.1 no full can be chosen',
      scheduleText('differential: "@weekly"'),
      'definition.cadence',
      '7:17',
      /expected a `full` cadence beside it/,
    ],
    [
      '3.1 no cadence at all',
      scheduleText('timeZone: UTC'),
      'definition.cadence',
      '4:1',
      /at least one of full/,
    ],
    [
      '3.2 a first run without a zone',
      scheduleText('full: "@daily"\nfirstRun: 2025-01-01T00:00:00'),
      'definition.shape',
      '8:13',
      /Add the time and its zone/,
    ],
    [
      '5.1 two dialects of retention',
      scheduleText('full: "@daily"\nretention: {keep: {last: 3}, days: 7}'),
      'definition.retention',
      '8:14',
      /keep and days/,
    ],
    [
      '5.3 a policy that keeps nothing',
      scheduleText('full: "@daily"\nretention: {keep: {last: 0}}'),
      'definition.retention',
      '8:21',
      /keeps nothing/,
    ],
    [
      '5.3 an empty policy',
      scheduleText('full: "@daily"\nretention: {}'),
      'definition.retention',
      '8:14',
      /empty policy/,
    ],
    [
      '5.1 a unit that is none',
      scheduleText('full: "@daily"\nretention: {keep: {within: 3 days}}'),
      'definition.shape',
      '8:30',
      /found "3 days", expected a duration/,
    ],
  ]);
});
