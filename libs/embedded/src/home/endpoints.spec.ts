import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readEndpoints } from './endpoints.ts';
import { takeHome } from './home-lock.ts';
import { prepareHome } from './home-layout.ts';

describe('where the servers of a data folder are', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(path.join(tmpdir(), 'catena-endpoints-'));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  it('is told to be nowhere while nobody runs it, and what to do about that', () => {
    expect(() => readEndpoints(home, {})).toThrow(
      expect.objectContaining({
        code: 'embedded.not-started',
        message: expect.stringMatching(/^No NATS of the data folder .* is running/),
        remedy: expect.stringContaining('catena up'),
      }),
    );
  });

  it('is told to be on its way while a process has it that has not started them', async () => {
    const lock = await takeHome(prepareHome(home));
    try {
      expect(() => readEndpoints(home, {})).toThrow(
        expect.objectContaining({
          code: 'embedded.not-started',
          message: expect.stringContaining(`is being started or stopped by pid ${process.pid}`),
          remedy: 'Ask again in a moment.',
        }),
      );
    } finally {
      lock.release();
    }
  });
});
