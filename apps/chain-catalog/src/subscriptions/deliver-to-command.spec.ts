import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { deliverToCommand } from './deliver-to-command.ts';

const event = { id: 'e1', type: 'run.completed', data: {} };
const never = new AbortController().signal;

describe('a delivery to a command', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'catena-command-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('gives the event on standard input and takes exit code 0 for an answer', async () => {
    const file = join(folder, 'seen');
    await deliverToCommand(['sh', '-c', 'cat > "$0"', file], event, never);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(event);
  });

  it('does not mind a program that reads nothing', async () => {
    const large = { ...event, data: 'x'.repeat(1_000_000) };
    await expect(deliverToCommand(['true'], large, never)).resolves.toBeUndefined();
  });

  it('keeps our own configuration from it', async () => {
    const file = join(folder, 'environment');
    process.env['CATENA_TEST_PASSWORD'] = 'hunter2';
    try {
      await deliverToCommand(['sh', '-c', 'env > "$0"', file], event, never);
    } finally {
      delete process.env['CATENA_TEST_PASSWORD'];
    }
    expect(readFileSync(file, 'utf8')).not.toContain('hunter2');
  });

  it('fails with what the program said', async () => {
    const failure = deliverToCommand(['sh', '-c', 'echo no paper >&2; exit 3'], event, never);
    await expect(failure).rejects.toThrow('ended with 3: no paper');
  });

  it('fails when the program is not there', async () => {
    const failure = deliverToCommand([join(folder, 'missing')], event, never);
    await expect(failure).rejects.toMatchObject({ code: 'subscription.delivery-failed' });
  });

  it('ends a program that does not end, with what it started', async () => {
    const failure = deliverToCommand(['sh', '-c', 'sleep 600 & sleep 600'], event, never, 50);
    await expect(failure).rejects.toThrow('did not end within 0.05 s');
  });
});
