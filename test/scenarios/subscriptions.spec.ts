import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CatenaUp, CHILDREN } from '../platform/catena-up.ts';
import { until } from '../platform/operator.ts';
import { CatenaCommand, RunningProgram } from './catena-command.ts';
import { WebhookReceiver } from './webhook-receiver.ts';

const SECRET = 'the hook is ours';

let platform: CatenaUp;
let catena: CatenaCommand;
let team: WebhookReceiver;
let away: WebhookReceiver;
let list: string;
let subscriber: RunningProgram | undefined;

interface DeadLetter {
  consumer: string;
  sequence: number;
  attempts: number;
  error: { message: string };
  event: { id: string; type: string };
}

beforeAll(async () => {
  [platform, team, away] = await Promise.all([
    CatenaUp.start({ CATENA_DELIVERY_BACKOFF_SECONDS: '0,1,1' }),
    WebhookReceiver.start(),
    WebhookReceiver.start(),
  ]);
  await away.goAway();
  catena = new CatenaCommand(platform.home);
  const letters = await platform.defineFiles({ source: 'letters', repository: 'vault' });
  const pictures = await platform.defineFiles({ source: 'pictures', repository: 'shelf' });
  platform.write(letters.source, { 'a.txt': 'one\n' });
  platform.write(pictures.source, { 'b.txt': 'two\n' });
  list = path.join(platform.folder, 'list.jsonl');
  const secret = path.join(platform.folder, 'hook.secret');
  writeFileSync(secret, `${SECRET}\n`);
  await platform.apply(`apiVersion: catena/v1
kind: Subscription
metadata: {name: tell-the-team}
spec:
  events: [run.completed, run.failed]
  sources: [letters]
  to: {webhook: {url: '${team.url}', secret: {file: ${secret}}}}
---
apiVersion: catena/v1
kind: Subscription
metadata: {name: nobody-there}
spec:
  events: [run.refused]
  to: {webhook: {url: '${away.url}'}}
---
apiVersion: catena/v1
kind: Subscription
metadata: {name: keep-a-list}
spec:
  events: ['run.*']
  to: {command: [sh, -c, 'cat >> "$0"', ${list}]}
`);
});

afterAll(async () => {
  subscriber?.signal('SIGKILL');
  await subscriber?.ended;
  await Promise.all([team[Symbol.asyncDispose](), away[Symbol.asyncDispose]()]);
  await platform[Symbol.asyncDispose]();
});

/** One backup that completes; the id of its run. */
async function backUp(source = 'letters', repository = 'vault'): Promise<string> {
  const run = await platform.requestBackup(source, repository);
  expect((await platform.outcome(run)).state).toBe('completed');
  return run;
}

const subjectsOf = (receiver: WebhookReceiver) => receiver.received.map(({ event }) => event.subject);

describe('a webhook', () => {
  it('gets what it asked for as a signed CloudEvent', async () => {
    const other = await backUp('pictures', 'shelf');
    const run = await backUp();
    await until('the delivery', () => team.received.length > 0);
    const [{ headers, body, event }] = team.received as [(typeof team.received)[0]];
    expect(headers['content-type']).toMatch(/^application\/cloudevents\+json/);
    expect(event).toMatchObject({
      specversion: '1.0',
      type: 'run.completed',
      subject: `run/${run}`,
      correlationid: run,
      datacontenttype: 'application/json',
      data: { outcome: 'completed', warningCount: 0 },
    });
    const [, seconds, signature] =
      /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['catena-signature'])) ?? [];
    expect(signature).toBe(createHmac('sha256', SECRET).update(`${seconds}.${body}`).digest('hex'));
    // The other source's run was over before, and events are delivered in their order.
    expect(subjectsOf(team)).not.toContain(`run/${other}`);
  });

  it('gets it again until it takes it, and nothing is lost behind it', async () => {
    const before = team.received.length;
    team.answers.push(503, 500);
    const stubborn = await backUp();
    await until('two tries', () => team.received.length === before + 2);
    const runs = [stubborn, await backUp()];
    await until('both deliveries', () => team.received.length === before + 4);
    const subjects = subjectsOf(team).slice(before);
    expect(subjects.filter((subject) => subject === `run/${runs[0]}`)).toHaveLength(3);
    expect(subjects.filter((subject) => subject === `run/${runs[1]}`)).toHaveLength(1);
    expect(new Set(team.ids.slice(before)).size).toBe(2);
  });

  it('that is gone for good leaves a dead letter, which status shows and an operator delivers again', async () => {
    const refused = await platform.backup('letters', 'vault', 'incremental', true);
    expect(refused.state).toBe('refused');
    const letters = async () => (await catena.ask<{ items: DeadLetter[] }>('dead-letters', 'list')).items;
    await until('a dead letter', async () => (await platform.client.log.deadLetters.count()) > 0);
    const [letter, ...more] = await letters();
    expect(more).toEqual([]);
    expect(letter).toMatchObject({ attempts: 4, event: { type: 'run.refused' } });
    expect(letter!.error.message).toContain(`127.0.0.1:${away.port}`);
    expect((await catena.run('status')).out).toMatch(
      /1 event could not be delivered\.\n {4}catena dead-letters list/,
    );
    expect((await catena.run('doctor')).out).toMatch(/WARNING +subscriptions: /);

    await away.comeBack();
    await catena.ask('dead-letters', 'redeliver', `${letter!.consumer}:${letter!.sequence}`);
    await until('the delivery', () => away.received.length > 0);
    expect(away.ids).toEqual([letter!.event.id]);
    expect(await letters()).toEqual([]);
    expect(
      await catena.refused('dead-letters', 'redeliver', `${letter!.consumer}:${letter!.sequence}`),
    ).toMatchObject({
      exit: 3,
      code: 'event-log.no-dead-letter',
    });
  });

  it('of which an operator discards a dead letter is not asked again', async () => {
    await away.goAway();
    const seen = away.received.length;
    await platform.backup('letters', 'vault', 'incremental', true);
    await until('a dead letter', async () => (await platform.client.log.deadLetters.count()) > 0);
    const [letter] = (await catena.ask<{ items: DeadLetter[] }>('dead-letters', 'list')).items;
    await away.comeBack();
    await catena.ask('dead-letters', 'discard', `${letter!.consumer}:${letter!.sequence}`);
    const next = await platform.requestBackup('letters', 'vault', 'incremental', true);
    await until('the next delivery', () => away.received.length > seen);
    expect(subjectsOf(away).slice(seen)).toEqual([`run/${next}`]);
  });
});

describe('a command', () => {
  it('gets each event as a line on its standard input, in their order', async () => {
    const run = await backUp();
    const lines = () =>
      existsSync(list)
        ? readFileSync(list, 'utf8')
            .split('\n')
            .filter((line) => line !== '')
            .map((line) => JSON.parse(line) as { type: string; correlationid: string; sequence: string })
        : [];
    await until('the end of the run', () =>
      lines().some(({ type, correlationid }) => type === 'run.completed' && correlationid === run),
    );
    expect(
      lines()
        .filter((line) => line.correlationid === run)
        .map(({ type }) => type),
    ).toEqual(['run.requested', 'run.planned', 'run.claimed', 'run.completed']);
    const sequences = lines().map(({ sequence }) => Number(sequence));
    expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
  });
});

describe('the example of a subscriber', () => {
  const program = fileURLToPath(new URL('../../examples/subscriber/dist/main.js', import.meta.url));

  function subscribe(): RunningProgram {
    const child = spawn(process.execPath, [program, 'my-reports'], {
      env: { ...process.env, CATENA_HOME: platform.home },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new RunningProgram(child, 'the subscriber');
  }

  /** What it has reacted to: log sequences. */
  const heard = ({ out }: RunningProgram) =>
    [...out.matchAll(/^(\d+) run-/gm)].map(([, sequence]) => Number(sequence));

  let before: number[];

  it('reacts to everything that has completed, and to what completes while it runs', async () => {
    subscriber = subscribe();
    const run = await backUp();
    await subscriber.says(new RegExp(`${run} completed: 1 files`));
    before = heard(subscriber);
    const completed = (await platform.events(['run.completed', 'run.failed'])).map(
      ({ sequence }) => sequence,
    );
    expect(before).toEqual(completed);
  });

  it('goes on where it was after kill -9', async () => {
    subscriber!.signal('SIGKILL');
    await subscriber!.ended;
    const missed = await backUp();
    subscriber = subscribe();
    await subscriber.says(new RegExp(`${missed} completed`));
    // At least once: the last one it had seen may come again, what lies before it does not.
    expect(heard(subscriber)[0]).toBeGreaterThanOrEqual(before.at(-1)!);
  });

  it('goes on when the platform was killed with -9, and the platform with its subscriptions', async () => {
    const seen = team.received.length;
    await platform.kill9(['up', ...CHILDREN]);
    await platform.startAgain();
    const run = await backUp();
    await subscriber!.says(new RegExp(`${run} completed`));
    await until('the delivery', () =>
      team.received.slice(seen).some(({ event }) => event.subject === `run/${run}`),
    );
    subscriber!.signal('SIGTERM');
    expect((await subscriber!.ended).code).toBe(0);
  });
});
