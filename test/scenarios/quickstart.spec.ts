import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { ChainView } from '@catena/events';
import { scenarioFolder } from '../platform/test-platform.ts';
import { CatenaCommand, type RunningProgram } from './catena-command.ts';

const folder = scenarioFolder();
const home = path.join(folder, 'home');
const catena = new CatenaCommand(home);
let running: RunningProgram | undefined;

/** The chain that the first start has made. */
let before: string[] = [];

interface QuickstartAnswer {
  succeeded: boolean;
  differences: string[];
  source: string;
  restored: string;
  chains: ChainView[];
  bank: { committed: number; byNow: number; differences: string[] };
}

afterAll(async () => {
  running?.signal('SIGTERM');
  await running?.ended;
  rmSync(folder, { recursive: true, force: true });
});

/** Ids and types of the backups of the conventional chains, oldest first. */
function chainOf({ chains }: { chains: ChainView[] }): { ids: string[]; types: string[] } {
  const backups = chains.filter((chain) => !chain.copyOnly).flatMap((chain) => chain.backups);
  backups.sort((a, b) => a.asOf.localeCompare(b.asOf));
  return { ids: backups.map(({ backup }) => backup), types: backups.map(({ type }) => type) };
}

/** What `up` and `quickstart` started and is still alive. */
function survivors(said: string): string[] {
  return [...said.matchAll(/(\S+) runs \(pid (\d+)\)/g)].flatMap(([, name, pid]) => {
    try {
      process.kill(Number(pid), 0);
      return [`${name} ${pid}`];
    } catch {
      return [];
    }
  });
}

describe('the quickstart', () => {
  it('shows the main job once and ends with 0 because what came back is the same', async () => {
    const answer = await catena.run('quickstart', '--once', '--json');
    expect(answer.err).not.toContain('catena:');
    const result = answer.json<QuickstartAnswer>();
    expect(result).toMatchObject({ succeeded: true, differences: [], bank: { differences: [] } });
    expect(result.bank.committed).toBeGreaterThan(0);
    expect(result.bank.byNow).toBeGreaterThan(result.bank.committed);
    expect(answer.code).toBe(0);
    // The schedule may come to a due time of its own meanwhile and add to these.
    const { ids, types } = chainOf(result);
    expect(types).toEqual(expect.arrayContaining(['full', 'incremental', 'differential']));
    expect(types[0]).toBe('full');
    expect(result.chains.some((chain) => chain.copyOnly)).toBe(true);
    before = ids;
    expect(readdirSync(result.restored).sort()).toEqual(readdirSync(result.source).sort());
  });

  it('tells its subscription of every run', () => {
    const lines = readFileSync(path.join(home, 'quickstart', 'events.jsonl'), 'utf8')
      .trim()
      .split('\n');
    const types = lines.map((line) => (JSON.parse(line) as { type: string }).type);
    expect(types.length).toBeGreaterThanOrEqual(4);
    expect(new Set(types)).toEqual(new Set(['run.completed']));
  });

  it('goes on with its data at the second start, stays up until Ctrl-C and then stops cleanly', async () => {
    running = catena.start('quickstart');
    await running.says(/Ctrl-C stops it/);
    expect(running.out).toContain('The chain of an earlier start goes on');
    expect(running.out).toContain('Every byte, every time stamp: equal.');
    // It rested while the bank did not run.
    expect(running.out).toContain('Schedule bank: resumed');
    expect(running.out).toContain('exactly those committed by then');
    const { items } = await catena.ask<{ items: ChainView[] }>('chains', '--source', 'quickstart');
    const { ids, types } = chainOf({ chains: items });
    expect(ids.slice(0, before.length)).toEqual(before);
    expect(types.slice(before.length)).toEqual(expect.arrayContaining(['incremental', 'differential']));
    const second = await catena.refused('up');
    expect(second.exit).toBe(3);
    expect(second.message).toContain(String(running.child.pid));
    expect(survivors(running.out)).toHaveLength(6);
    // One Ctrl-C arrives more than once: from the terminal, and from each launcher in between.
    running.signal('SIGINT');
    running.signal('SIGINT');
    const { code, out } = await running.ended;
    expect({ code, end: out.trim().split('\n').at(-1) }).toEqual({
      code: 0,
      end: 'Stopped. The data stays; the next start goes on with it.',
    });
    expect(survivors(out)).toEqual([]);
  });

  it('ends with 4 and names what differs when the source has what did not come back', async () => {
    // The definition leaves *.tmp out, so this file is in the source and in no backup.
    writeFileSync(path.join(home, 'quickstart', 'source', 'scratch.tmp'), 'not in any backup\n');
    const answer = await catena.run('quickstart', '--once', '--json');
    const { succeeded, differences } = answer.json<QuickstartAnswer>();
    expect({ code: answer.code, succeeded }).toEqual({ code: 4, succeeded: false });
    expect(differences).toEqual([expect.stringContaining('scratch.tmp')]);
  });
});
