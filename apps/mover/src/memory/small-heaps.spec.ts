import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const module = fileURLToPath(new URL('./small-heaps.ts', import.meta.url));

/** The number that a program prints. */
async function printed(program: string, options: readonly string[] = []): Promise<number> {
  const whole = `const { keepHeapsSmall } = await import(${JSON.stringify(module)}); ${program}`;
  const args = [...options, '--no-warnings', '--input-type=module', '--eval', whole];
  return Number((await promisify(execFile)(process.execPath, args)).stdout);
}

/** Makes garbage of which a part lives for a while, and tells how large the space of young objects has become. */
const worker = `
  import { getHeapSpaceStatistics } from 'node:v8';
  import { parentPort } from 'node:worker_threads';
  const held = [];
  for (let i = 0; i < 1e6; i++) held[i % 50000] = { i };
  const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
  parentPort.postMessage(young.space_size);
`;

/** Holds 40 MiB, and makes 25 times as much garbage of what has grown old; tells how often that was collected. */
const aging = `
  const { PerformanceObserver } = await import('node:perf_hooks');
  let collections = 0;
  const ofAll = ({ detail }) => detail.kind === 4;
  new PerformanceObserver((seen) => { collections += seen.getEntries().filter(ofAll).length; }).observe({ entryTypes: ['gc'] });
  const held = [];
  for (let i = 0; i < 1e6; i++) {
    held[i % 40_000] = new Array(128).fill(i);
    if (i === 40_000) globalThis.gc();
    if (i % 4000 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  console.log(collections);
`;

describe('heaps of a mover', () => {
  it('have little room for young objects on threads, whatever the process was started with', async () => {
    const size = await printed(
      `keepHeapsSmall();
       const { Worker } = await import('node:worker_threads');
       new Worker(${JSON.stringify(worker)}, { eval: true }).on('message', (size) => console.log(size));`,
      ['--max-semi-space-size=8'],
    );
    expect(size).toBeGreaterThan(0);
    expect(size).toBeLessThanOrEqual(2 * 1024 * 1024);
  });

  it('are collected about twice as often as the engine would by itself, because they may not grow as far', async () => {
    const small = await printed(`keepHeapsSmall(); ${aging}`, ['--expose-gc']);
    const byItself = await printed(aging, ['--expose-gc']);
    expect(byItself).toBeGreaterThan(2);
    expect(small).toBeGreaterThan(1.4 * byItself);
  });
});
