/** What a slot holds back at the source nears its limit: people are told before it is let go. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BACKUP_ROLE, startProtectedCluster, type ProtectedCluster } from '@catena/sources/testing/postgres';
import { until } from '../platform/operator.ts';
import { atLength } from '../platform/seeded-chance.ts';
import { TestPlatform } from '../platform/test-platform.ts';
import { CatenaCommand } from './catena-command.ts';
import { streamedBank } from './streamed-bank.ts';
import { WebhookReceiver } from './webhook-receiver.ts';

let platform: TestPlatform;
let catena: CatenaCommand;
let cluster: ProtectedCluster;
let team: WebhookReceiver;

/** Adds so much to the server's log, in transactions of their own. */
async function write(megabytes: number): Promise<void> {
  for (let done = 0; done < megabytes; done += 4)
    await cluster.sql("SELECT pg_logical_emit_message(true, 'fill', repeat('x', 4000000))");
}

async function isStreamed(): Promise<boolean> {
  const { items } = await catena.ask<{ items: { state: string }[] }>('runs', '--active');
  return items.some(({ state }) => state === 'running') && (await platform.backups('bank')).length > 0;
}

/** The alarm comes at three quarters, before the log is sealed; the limit is not reached before that either. */
const STREAM = ', sealSize: 90MB';
const TO_THE_ALARM = 80;
const TO_THE_SEAL = 12;
const limits = [
  { whose: 'the definition', settings: { max_slot_wal_keep_size: '1GB' }, log: ', holdLimit: 100MB' },
  { whose: 'the server', settings: { max_slot_wal_keep_size: '96MB' }, log: '' },
];

(atLength ? describe.each(limits) : describe.skip.each(limits))(
  'a slot that nears the limit of $whose',
  ({ settings, log }) => {
    beforeAll(async () => {
      team = await WebhookReceiver.start();
      // Segments of 1 MiB: what a backup leaves of one counts little.
      cluster = await startProtectedCluster({ settings: { ...settings, wal_keep_size: '0' } });
      platform = await TestPlatform.start();
      catena = new CatenaCommand(platform.home, { folder: platform.folder });
      mkdirSync(path.join(platform.home, 'bank'));
      writeFileSync(path.join(platform.home, 'bank', 'password'), BACKUP_ROLE.password, { mode: 0o600 });
      const file = path.join(platform.place('definitions'), 'bank.yaml');
      const bank = streamedBank(cluster.server.port, '10m', { log, stream: STREAM });
      const alarms = `---
apiVersion: catena/v1
kind: Subscription
metadata: { name: alarms }
spec: { events: [run.alarmed], sources: [bank], to: { webhook: { url: '${team.url}' } } }
`;
      writeFileSync(file, `${bank}${alarms}`);
      await catena.ask('apply', file);
      await until('its log is streamed', isStreamed);
    });

    afterAll(async () => {
      await platform[Symbol.asyncDispose]();
      await Promise.all([cluster[Symbol.asyncDispose](), team[Symbol.asyncDispose]()]);
    });

    it('is told of by a subscription and by catena status, once, and is well when it has followed', async () => {
      expect((await catena.run('status')).out).not.toContain('holds back');
      await write(TO_THE_ALARM);
      await until('the alarm is delivered', () => team.received.length > 0);
      const [{ event }] = team.received as [(typeof team.received)[0]];
      const told =
        /^The slot catena_\w+ holds back \d+ MB of log; at \d+ MB it is let go, and there is a gap\.$/;
      expect(event).toMatchObject({
        type: 'run.alarmed',
        data: {
          alarm: { code: 'postgres.holdNearLimit', message: expect.stringMatching(told) as unknown },
          remedy: expect.stringContaining('max_slot_wal_keep_size') as unknown,
        },
      });
      const [, run = ''] = event.subject.split('/');
      const status = await catena.run('status');
      expect(status.out).toMatch(
        new RegExp(`The slot catena_\\w+ holds back \\d+ MB of log.*\n +catena runs ${run}`),
      );
      const [slot] = await cluster.sql<{ status: string }>(
        'SELECT wal_status AS status FROM pg_replication_slots WHERE NOT temporary',
      );
      expect(slot?.status).not.toBe('lost');

      await catena.ask('pause', 'bank');
      await write(TO_THE_SEAL);
      expect((await platform.outcome(run)).state).toBe('completedWithWarnings');
      await catena.ask('resume', 'bank');
      await until('its log is streamed again', isStreamed);
      expect((await catena.run('status')).out).not.toContain('holds back');
      expect(team.received.map((one) => one.event.subject)).toEqual([event.subject]);
    });
  },
);
