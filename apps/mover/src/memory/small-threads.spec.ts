import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

/** Makes garbage of which a part lives for a while, and tells how large the space of young objects has become. */
const worker = `
  import { getHeapSpaceStatistics } from 'node:v8';
  import { parentPort } from 'node:worker_threads';
  const held = [];
  for (let i = 0; i < 1e6; i++) held[i % 50000] = { i };
  const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
  parentPort.postMessage(young.space_size);
`;

describe('threads of a mover', () => {
  it('have little room for young objects, whatever the process was started with', async () => {
    const module = fileURLToPath(new URL('./small-threads.ts', import.meta.url));
    const program = `
      const { keepThreadsSmall } = await import(${JSON.stringify(module)});
      const { Worker } = await import('node:worker_threads');
      keepThreadsSmall();
      new Worker(${JSON.stringify(worker)}, { eval: true }).on('message', (size) => console.log(size));
    `;
    const args = ['--max-semi-space-size=8', '--no-warnings', '--input-type=module', '--eval', program];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(Number(stdout)).toBeGreaterThan(0);
    expect(Number(stdout)).toBeLessThanOrEqual(2 * 1024 * 1024);
  });
});
