import { describe, expect, it } from '@jest/globals';
import { compareVersions, isSuitableNatsVersion, parseNatsVersion } from './nats-version.ts';

describe('versions of nats-server', () => {
  it.each([
    ['nats-server: v2.15.1', '2.15.1'],
    ['nats-server: v2.12.0-RC.3', '2.12.0'],
    ['command not found', undefined],
  ])('reads %j', (output, version) => {
    expect(parseNatsVersion(output)).toBe(version);
  });

  it.each([
    ['2.9.10', false],
    ['2.11.99', false],
    ['2.12.0', true],
    ['2.15.1', true],
    ['3.0.0', true],
  ])('%s is suitable: %s', (version, suitable) => {
    expect(isSuitableNatsVersion(version)).toBe(suitable);
  });

  it('compares numbers, not text', () => {
    expect(['2.9.10', '2.15.1', '2.12.0'].sort(compareVersions)).toEqual(['2.9.10', '2.12.0', '2.15.1']);
  });
});
