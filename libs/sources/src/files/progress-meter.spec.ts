import { expect, it } from '@jest/globals';
import type { DriverProgress } from '../port/source-driver.ts';
import type { ByteString } from '../system-calls/index.ts';
import { ProgressMeter } from './progress-meter.ts';

const path = 'a' as ByteString;

/** What is told first, of one file with so many bytes. */
function told(expected: { files: number; bytes: number } | undefined, bytes: number): DriverProgress {
  const all: DriverProgress[] = [];
  const meter = new ProgressMeter((state) => all.push(state));
  meter.expect(expected);
  meter.add(1, bytes, path);
  return all[0] as DriverProgress;
}

it('tells how much there will be as long as that can be right', () => {
  const expected = { files: 1, bytes: 100 };
  expect(told(expected, 60)).toMatchObject({ bytes: 60, totalBytes: 100, totalFiles: 1 });
  expect(told(expected, 100)).toMatchObject({ bytes: 100, totalBytes: 100 });
  expect(told(expected, 101)).not.toHaveProperty('totalBytes');
  expect(told(expected, 101)).toHaveProperty('totalFiles', 1);
  expect(told(undefined, 1)).not.toHaveProperty('totalBytes');
});

it('tells at the end how much there was', () => {
  const all: DriverProgress[] = [];
  const meter = new ProgressMeter((state) => all.push(state));
  meter.expect({ files: 3, bytes: 100 });
  meter.add(1, 200, path);
  meter.finish();
  expect(all.at(-1)).toMatchObject({ files: 1, bytes: 200, totalFiles: 1, totalBytes: 200 });
});

it('tells nothing of a total at the end that nobody asked for', () => {
  const all: DriverProgress[] = [];
  const meter = new ProgressMeter((state) => all.push(state));
  meter.add(1, 200, path);
  meter.finish();
  expect(all.at(-1)).not.toHaveProperty('totalBytes');
});
