import { detailOfTablespaces, tablespacesMadeIn } from '@catena/events';
import { describe, expect, it } from '@jest/globals';
import type { Manifest } from '@catena/vault';
import { manifestReportOf } from './manifest-report.ts';

const manifest: Manifest = {
  ...{ format: 'catena-manifest', version: 1 },
  ...{
    features: [],
    repository: 'r',
    collection: 'c',
    backup: 'b',
    type: 'log',
    copyOnly: false,
    chain: 'b',
  },
  ...{ run: 'run-1', attempt: 1, folder: 'logs/2026/01/01-000000.00', warnings: 0 },
  source: { name: 'bank', uid: 'bank', family: 'postgres:1', driver: 'postgres' },
  position: {
    ...{ start: '1', end: '2', fork: '1', moreMarks: 7, transactions: [[1, 2]] },
    marks: [{ name: 'm', at: '2026-01-01T00:00:00.000Z', position: '2' }],
  },
  ...{ asOf: '2026-01-01T00:00:00Z', startedAt: '2026-01-01T00:00:00Z', endedAt: '2026-01-01T00:00:00Z' },
  statistics: {
    ...{ entries: 0, files: 0, bytes: 0, bytesRead: 0, bytesNew: 0, bytesStored: 0, bytesOfMaps: 0 },
  },
  ...{ backups: ['b'], volumes: [], keys: [], tree: { index: [], warnings: [] } },
};
const ref = { collection: 'c', backupId: 'b', run: 'run-1', name: 'c/logs/manifest.json', hash: 'hash' };

describe('what a catalog is told of a manifest', () => {
  it('is what a log holds that a place is looked for in', () => {
    const { position, marks, moreMarks, transactions } = manifestReportOf({ ref, manifest });
    expect(position).toBe('2');
    expect(marks).toHaveLength(1);
    expect({ moreMarks, transactions }).toEqual({ moreMarks: 7, transactions: [[1, 2]] });
  });

  it('is every detail but long ones; the tablespaces that a log creates are all told', () => {
    const made = Array.from({ length: 6 }, (_, index) => {
      return { path: `/srv/postgresql/tablespaces/of-the-bank/${index}`, position: '1', lsn: '0/1' };
    });
    const details = { serverVersion: '18.0', label: 'x'.repeat(300), ...detailOfTablespaces(made) };
    const { driverDetails } = manifestReportOf({ ref, manifest: { ...manifest, driverDetails: details } });
    expect(Object.keys(driverDetails ?? {})).toEqual(['serverVersion', 'tablespacesMade']);
    expect(tablespacesMadeIn(driverDetails)).toEqual(made);
  });
});
