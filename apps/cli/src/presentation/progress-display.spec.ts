import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import type { ProgressMessage } from '@catena/events';
import { ProgressDisplay, type ProgressOutput } from './progress-display.ts';

const progress = (bytes: number): ProgressMessage => ({
  run: 'run-1',
  attempt: 1,
  mover: 'mover-1',
  phase: 'reading',
  at: '2026-03-01T00:00:00.000Z',
  files: 3,
  bytes,
  totalBytes: 4 * 1024 * 1024,
  bytesPerSecond: 1024 * 1024,
  secondsRemaining: 2,
});

/** What is written to a stream that is a terminal, or is not. */
function output(terminal?: { columns: number }): { stream: ProgressOutput; text: () => string } {
  const stream = new PassThrough({ encoding: 'utf8' });
  let text = '';
  stream.on('data', (chunk: string) => (text += chunk));
  if (terminal) Object.assign(stream, { isTTY: true, ...terminal });
  return { stream, text: () => text };
}

const LINE = 'reading: 3 files, 2.0 MiB of 4.0 MiB (50 %), 1.0 MiB/s, 2.0 s left';

describe('progress', () => {
  it('is plain lines, now and then, where nobody sits at a terminal', () => {
    const { stream, text } = output();
    const display = new ProgressDisplay(stream);
    for (const bytes of [0.5, 1, 2]) display.show(progress(bytes * 1024 * 1024));
    display.clear();
    expect(text()).toBe('  reading: 3 files, 512 KiB of 4.0 MiB (12 %), 1.0 MiB/s, 2.0 s left\n');
  });

  it('is a line for each message when lines need no pause between them', () => {
    const { stream, text } = output();
    const display = new ProgressDisplay(stream, 0);
    for (let times = 0; times < 3; times++) display.show(progress(2 * 1024 * 1024));
    expect(text()).toBe(`  ${LINE}\n`.repeat(3));
  });

  it('is one line with a bar, written anew, on a terminal, and makes room for others', () => {
    const { stream, text } = output({ columns: 120 });
    const display = new ProgressDisplay(stream);
    display.show(progress(2 * 1024 * 1024));
    display.show(progress(2 * 1024 * 1024));
    display.clear();
    const shown = `\r\u001b[2K  [${'█'.repeat(12)}${'░'.repeat(12)}] ${LINE}`;
    expect(text()).toBe(`${shown}${shown}\r\u001b[2K`);
  });

  it('is never longer than the terminal is wide', () => {
    const { stream, text } = output({ columns: 40 });
    new ProgressDisplay(stream).show(progress(2 * 1024 * 1024));
    expect(text().replace('\r\u001b[2K', '').length).toBeLessThan(40);
  });
});
