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

interface QuickstartAnswer {
  succeeded: boolean;
  differences: string[];
  source: string;
  restored: string;
  chains: ChainView[];
}

afterAll(async () => {
  running?.signal('SIGTERM');
  await running?.ended;
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** Types of the backups of the conventional chain, oldest first. */
function chainOf({ chains }: { chains: ChainView[] }): string[] {
  return chains.filter((chain) => !chain.copyOnly).flatMap((chain) => chain.backups.map(({ type }) => type));
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
    expect(result).toMatchObject({ succeeded: true, differences: [] });
    expect(answer.code).toBe(0);
    expect(chainOf(result)).toEqual(['full', 'incremental', 'differential']);
    expect(result.chains.filter((chain) => chain.copyOnly)).toHaveLength(1);
    expect(readdirSync(result.restored).sort()).toEqual(readdirSync(result.source).sort());
  }, 120_000);

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
    const { items } = await catena.ask<{ items: ChainView[] }>('chains', '--source', 'quickstart');
    expect(chainOf({ chains: items })).toEqual([
      'full',
      'incremental',
      'differential',
      'incremental',
      'differential',
    ]);
    const second = await catena.refused('up');
    expect(second.exit).toBe(3);
    expect(second.message).toContain(String(running.child.pid));
    expect(survivors(running.out)).toHaveLength(5);
    running.signal('SIGINT');
    const { code, out } = await running.ended;
    expect({ code, end: out.trim().split('\n').at(-1) }).toEqual({
      code: 0,
      end: 'Stopped. The data stays; the next start goes on with it.',
    });
    expect(survivors(out)).toEqual([]);
  }, 120_000);

  it('ends with 4 and names what differs when the source has what did not come back', async () => {
    // The definition leaves *.tmp out, so this file is in the source and in no backup.
    writeFileSync(path.join(home, 'quickstart', 'source', 'scratch.tmp'), 'not in any backup\n');
    const answer = await catena.run('quickstart', '--once', '--json');
    const { succeeded, differences } = answer.json<QuickstartAnswer>();
    expect({ code: answer.code, succeeded }).toEqual({ code: 4, succeeded: false });
    expect(differences).toEqual([expect.stringContaining('scratch.tmp')]);
  }, 120_000);
});
