import { describe, expect, it } from '@jest/globals';
import {
  readRepositorySpec,
  readScheduleSpec,
  readSourceSpec,
  readSubscriptionSpec,
  SpecNotUnderstoodError,
} from './read-spec.ts';
import { driverSpecOf, sourcePathOf } from './kinds/source.ts';

describe('reading stored specs', () => {
  it('a Source has its defaults', () => {
    expect(readSourceSpec({ driver: 'files', files: { path: '/a' } })).toEqual({
      driver: 'files',
      files: {
        path: '/a',
        include: [],
        exclude: [],
        oneFileSystem: false,
        excludeCaches: false,
        excludeIfPresent: [],
      },
    });
  });

  it('a Source that is a disk image has its defaults', () => {
    expect(readSourceSpec({ driver: 'image', image: { path: '/dev/sdb' } })).toEqual({
      driver: 'image',
      image: { path: '/dev/sdb', format: 'raw' },
    });
  });

  it('what the driver is given is what stands under its name, and its path is the place', () => {
    const files = readSourceSpec({ driver: 'files', files: { path: '/a' } });
    const image = readSourceSpec({ driver: 'image', image: { path: '/b.qcow2', format: 'qcow2' } });
    expect(driverSpecOf(files)).toMatchObject({ path: '/a', include: [] });
    expect(driverSpecOf(image)).toEqual({ path: '/b.qcow2', format: 'qcow2' });
    expect([files, image].map(sourcePathOf)).toEqual(['/a', '/b.qcow2']);
  });

  it('a Repository has its keys in one form', () => {
    const keys = [{ passphrase: { env: 'P' } }, { passphrase: { file: '/p' } }, { keyFile: { path: '/k' } }];
    expect(readRepositorySpec({ store: 'fs', fs: { path: '/b' }, encryption: { keys } })).toEqual({
      store: 'fs',
      fs: { path: '/b' },
      access: 'readWrite',
      keys: [
        { passphrase: { env: 'P' } },
        { passphrase: { file: '/p' } },
        { keyFile: { path: '/k', generate: false } },
      ],
    });
    expect(readRepositorySpec({ store: 'fs', fs: { path: '/b' }, access: 'external' })).toMatchObject({
      access: 'external',
      keys: [],
    });
  });

  it('a Schedule has its cadences in one form and its first run in UTC', () => {
    const spec = {
      source: 'docs',
      repository: 'vault',
      full: '@weekly',
      differential: { cron: '@daily', copyOnly: true },
      firstRun: '2025-01-01T02:00:00+02:00',
    };
    expect(readScheduleSpec(spec)).toMatchObject({
      source: 'docs',
      repository: 'vault',
      timeZone: 'UTC',
      firstRun: '2025-01-01T00:00:00.000Z',
      cadences: {
        full: { rhythm: '@weekly', copyOnly: false },
        differential: { rhythm: '@daily', copyOnly: true },
      },
      calendar: { exclude: [], dst: {} },
      whenNoFull: 'full',
    });
    const more = { ...spec, incremental: { every: '6h', phase: '30m' }, start: '2025-01-01T02:00:00+02:00' };
    expect(readScheduleSpec(more)).toMatchObject({
      cadences: { incremental: { rhythm: 'every 6h phase 30m' } },
      calendar: { start: '2025-01-01T00:00:00.000Z' },
    });
  });

  it('a Subscription has one target', () => {
    const webhook = { url: 'https://example.org', secret: { env: 'S' } };
    expect(readSubscriptionSpec({ events: ['run.failed'], to: { webhook } })).toEqual({
      events: ['run.failed'],
      to: { webhook },
    });
    expect(readSubscriptionSpec({ events: ['run.*'], sources: ['a'], to: { command: ['x'] } })).toEqual({
      events: ['run.*'],
      sources: ['a'],
      to: { command: ['x'] },
    });
  });

  it('one that this build does not know is refused by name', () => {
    expect(() => readSourceSpec({ driver: 'tape', tape: {} })).toThrow(SpecNotUnderstoodError);
    expect(() => readScheduleSpec({ source: 'a' })).toThrow(/A stored Schedule cannot be read.*repository/);
  });
});
