import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { EventRecorder } from '../testing/event-recorder.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import type { Ailment, ChildSpec } from './child-spec.ts';
import { findProcesses, identifyProcess } from './process-identity.ts';
import { startChild } from './running-child.ts';
import { Supervisor, type ChildEvent } from './supervisor.ts';

async function setting() {
  const folder = await temporaryFolder(0o700);
  const folders = { run: path.join(folder.path, 'run'), logs: path.join(folder.path, 'logs') };
  mkdirSync(folders.run);
  mkdirSync(folders.logs);
  const recorder = new EventRecorder<ChildEvent>();
  const policy = { firstDelayMs: 10, maxDelayMs: 40, calmAfterMs: 60_000, careEveryMs: 20 };
  const supervisor = new Supervisor({ folders, onEvent: recorder.record, restart: policy });
  return {
    folder,
    folders,
    recorder,
    supervisor,
    [Symbol.asyncDispose]: async () => {
      await supervisor.stopAll();
      await folder[Symbol.asyncDispose]();
    },
  };
}

function shell(script: string, more: Partial<ChildSpec> = {}): ChildSpec {
  const spec = {
    name: 'worker',
    command: '/bin/sh',
    args: ['-c', script],
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
  };
  return { ...spec, ...more };
}

describe('Supervisor', () => {
  it('tells what a child suffers from, and starts it anew when that helps', async () => {
    await using at = await setting();
    let ailment: Ailment | undefined;
    const child = await at.supervisor.start(
      shell('exec sleep 1000', { ailment: () => Promise.resolve(ailment) }),
    );
    const first = child.pid!;
    ailment = { reason: 'no room', restartHelps: false };
    await at.recorder.until((event) => event.type === 'child.ails' && !event.restarting);
    ailment = undefined;
    await at.recorder.until((event) => event.type === 'child.recovered');
    expect(child.pid).toBe(first);
    ailment = { reason: 'gave up', restartHelps: true };
    expect(await at.recorder.until((event) => event.type === 'child.ails' && event.restarting)).toMatchObject(
      {
        reason: 'gave up',
        pid: first,
      },
    );
    ailment = undefined;
    await at.recorder.until((event) => event.type === 'child.restarted');
    expect(child.pid).not.toBe(first);
    expect(identifyProcess(first)).toBeUndefined();
  });

  it('waits for health, logs to a file, restarts what dies, and stops it', async () => {
    await using at = await setting();
    const ready = path.join(at.folder.path, 'ready');
    const probe = () => Promise.resolve(readFileSync(ready)).then(() => undefined);
    const child = await at.supervisor.start(shell(`echo hello; touch ${ready}; exec sleep 1000`, { probe }));
    const first = child.pid!;
    rmSync(ready);
    process.kill(first, 'SIGKILL');
    expect(await at.recorder.until((event) => event.type === 'child.died')).toMatchObject({
      exit: 'signal SIGKILL',
    });
    await at.recorder.until((event) => event.type === 'child.restarted');
    expect(child.pid).not.toBe(first);
    expect(child.restarts).toBe(1);
    const second = child.pid!;
    await at.supervisor.stop('worker');
    expect(identifyProcess(second)).toBeUndefined();
    expect(readFileSync(path.join(at.folders.logs, 'worker.log'), 'utf8')).toBe('hello\nhello\n');
    expect(at.recorder.events.at(-1)).toEqual({ type: 'child.stopped', name: 'worker' });
  });

  it('waits longer after each start that fails, up to a limit', async () => {
    await using at = await setting();
    await at.supervisor.start(shell('exit 3'));
    await at.recorder.until((event) => event.type === 'child.died' && event.restartInMs === 40);
    const delays = at.recorder.events.flatMap((event) =>
      event.type === 'child.died' ? [event.restartInMs] : [],
    );
    expect(delays.slice(0, 3)).toEqual([10, 20, 40]);
    expect(at.recorder.events).toEqual(
      expect.arrayContaining([expect.objectContaining({ type: 'child.died', exit: 'exit code 3' })]),
    );
  });

  it('kills what does not stop in time', async () => {
    await using at = await setting();
    const deaf = path.join(at.folder.path, 'deaf');
    const probe = () => Promise.resolve(readFileSync(deaf)).then(() => undefined);
    const script = `trap '' TERM; touch ${deaf}; while :; do sleep 0.05; done`;
    const child = await at.supervisor.start(shell(script, { probe, stopWithinMs: 100 }));
    const pid = child.pid!;
    await at.supervisor.stop('worker');
    expect(identifyProcess(pid)).toBeUndefined();
  });

  it('says why a start failed, with the end of the log, and leaves nothing running', async () => {
    await using at = await setting();
    const never = { probe: () => Promise.reject(new Error('not yet')) };
    await expect(at.supervisor.start(shell('echo the reason >&2; exit 4', never))).rejects.toMatchObject({
      code: 'embedded.child-not-ready',
      message: expect.stringContaining('the reason'),
      details: { child: 'worker', exit: { code: 4, signal: null } },
    });
    const script = 'while :; do sleep 0.05; done';
    const late = shell(script, { ...never, args: ['-c', script, at.folder.path], readyWithinMs: 200 });
    await expect(at.supervisor.start(late)).rejects.toMatchObject({
      message: expect.stringMatching(/within 0.2 s: not yet/),
    });
    expect(findProcesses((commandLine) => commandLine.includes(at.folder.path))).toEqual([]);
    const nowhere = shell('exit 0', { ...never, cwd: path.join(at.folder.path, 'nowhere') });
    await expect(at.supervisor.start(nowhere)).rejects.toMatchObject({
      message: expect.stringContaining('could not be run'),
    });
    expect(at.supervisor.child('worker')).toBeUndefined();
  });

  it('adopts a survivor that was started the same way, and ends one that was not', async () => {
    await using at = await setting();
    const spec = shell('exec sleep 1000', { probe: () => Promise.resolve() });
    const abort = new AbortController().signal;
    const first = await startChild(spec, at.folders, abort);
    expect((await at.supervisor.start(spec)).pid).toBe(first.pid);
    await at.supervisor.stopAll();
    expect(identifyProcess(first.pid)).toBeUndefined();

    const second = await startChild(spec, at.folders, abort);
    const replaced = await at.supervisor.start({ ...spec, env: { ...spec.env, LEVEL: 'debug' } });
    expect(replaced.pid).not.toBe(second.pid);
    expect(identifyProcess(second.pid)).toBeUndefined();
  });

  it('ends survivors that nobody has adopted, and no others', async () => {
    await using at = await setting();
    const kept = await at.supervisor.start(shell('exec sleep 1000', { name: 'kept' }));
    const spec = shell('exec sleep 1000', { name: 'stranger' });
    const stranger = await startChild(spec, at.folders, new AbortController().signal);
    expect(await at.supervisor.endStrangers()).toEqual(['stranger']);
    expect(identifyProcess(stranger.pid)).toBeUndefined();
    expect(identifyProcess(kept.pid!)).toBeDefined();
    expect(await at.supervisor.endStrangers()).toEqual([]);
  });

  it('does not take a later process with the same number for its child', async () => {
    await using at = await setting();
    const spec = shell('exec sleep 1000', { probe: () => Promise.resolve() });
    const bystander = identifyProcess(process.pid)!;
    const record = { fingerprint: 'x', bootId: bystander.bootId, name: 'worker' };
    writeFileSync(path.join(at.folders.run, 'worker.json'), JSON.stringify(record));
    const fields = [
      'S',
      ...Array.from({ length: 18 }, () => '0'),
      String(BigInt(bystander.startTime) - 1n),
      '0',
    ];
    writeFileSync(path.join(at.folders.run, 'worker.pid'), `${process.pid} (sleep) ${fields.join(' ')}\n`);
    const child = await at.supervisor.start(spec);
    expect(child.pid).not.toBe(process.pid);
    expect(identifyProcess(process.pid)).toEqual(bystander);
  });
});
