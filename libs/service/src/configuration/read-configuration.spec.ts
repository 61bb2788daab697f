import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { ConfigurationError } from './configuration-error.ts';
import { readConfiguration } from './read-configuration.ts';
import { secretText, serviceConfiguration, wholeNumber } from './service-configuration.ts';

describe('the configuration of a service', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'catena-configuration-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('has a default for everything that a single machine needs', () => {
    const read = readConfiguration(serviceConfiguration, {});
    expect(read).toMatchObject({
      CATENA_NATS_URL: 'nats://127.0.0.1:4222',
      CATENA_HEALTH_HOST: '127.0.0.1',
      CATENA_HEALTH_PORT: 0,
      CATENA_LOG_LEVEL: 'info',
      CATENA_LOG_FORMAT: 'json',
    });
    expect(read.CATENA_INSTANCE).toMatch(/^[A-Za-z0-9_-]+$/);
  });

  it('names every wrong value at once and shows none of them', () => {
    const schema = serviceConfiguration.extend({ CATENA_DATABASE_URL: secretText, SLOTS: wholeNumber(1, 9) });
    const wrong = () =>
      readConfiguration(schema, {
        CATENA_NATS_URL: 'nats://me:hunter2@example.org',
        CATENA_HEALTH_PORT: 'eighty',
        CATENA_LOG_LEVEL: 'loud',
        SLOTS: '10',
      });
    expect(wrong).toThrow(ConfigurationError);
    const problems = problemsOf(wrong);
    expect(problems.map(({ variable }) => variable).sort()).toEqual([
      'CATENA_DATABASE_URL',
      'CATENA_HEALTH_PORT',
      'CATENA_LOG_LEVEL',
      'CATENA_NATS_URL',
      'SLOTS',
    ]);
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });

  it('reads a secret from a file without its last line break', () => {
    const file = join(folder, 'password');
    writeFileSync(file, 'hunter2\n');
    const read = readConfiguration(serviceConfiguration, { CATENA_NATS_PASSWORD_FILE: file });
    expect(read.CATENA_NATS_PASSWORD?.reveal()).toBe('hunter2');
  });

  it('refuses a value that is given twice, and a file that is not there', () => {
    const schema = z.object({ A: secretText.optional(), B: secretText.optional() });
    const problems = problemsOf(() =>
      readConfiguration(schema, { A: 'x', A_FILE: join(folder, 'a'), B_FILE: join(folder, 'missing') }),
    );
    expect(problems).toEqual([
      { variable: 'A', message: 'is set twice, directly and by A_FILE' },
      { variable: 'B', message: 'its file cannot be read (ENOENT)' },
    ]);
  });

  it('prints no secret, however it is printed', () => {
    const read = readConfiguration(serviceConfiguration, { CATENA_NATS_PASSWORD: 'hunter2' });
    for (const printed of [
      String(read.CATENA_NATS_PASSWORD),
      JSON.stringify(read),
      inspect(read, { depth: 9 }),
    ])
      expect(printed).not.toContain('hunter2');
  });
});

function problemsOf(read: () => unknown): { variable: string; message: string }[] {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigurationError)
      return (error.details as { problems: { variable: string; message: string }[] }).problems;
    throw error;
  }
  throw new Error('It was accepted.');
}
