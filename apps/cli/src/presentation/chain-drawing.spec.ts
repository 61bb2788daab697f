import { describe, expect, it } from '@jest/globals';
import type { BackupView, ChainView } from '@catena/events';
import { drawChains } from './chain-drawing.ts';

function backup(id: string, facts: Partial<BackupView>): BackupView {
  return {
    backup: id,
    run: `run-${id}`,
    collection: 'col-1',
    source: 'home',
    sourceUid: 's',
    repository: 'vault',
    repositoryUid: 'r',
    type: 'full',
    copyOnly: false,
    chain: 'f1',
    position: '1',
    family: 'fam',
    startedAt: '2026-03-01T00:00:00.000Z',
    asOf: '2026-03-01T00:00:00.000Z',
    finishedAt: '2026-03-01T00:00:01.000Z',
    files: 3,
    bytes: 2048,
    bytesAdded: 1024,
    closure: [],
    manifest: { name: 'm', hash: 'h' },
    keyIds: [],
    warningCount: 0,
    state: 'usable',
    found: false,
    ...facts,
  };
}

function chain(id: string, backups: BackupView[], facts: Partial<ChainView> = {}): ChainView {
  return {
    chain: id,
    collection: 'col-1',
    source: 'home',
    repository: 'vault',
    copyOnly: false,
    newest: true,
    usable: true,
    bytesAdded: 0,
    backups,
    ...facts,
  };
}

describe('drawing chains', () => {
  it('says where a backup of a cluster ends in its log, as the server spells it', () => {
    const cluster = { family: 'postgres:7710291030033773434', position: '29401024' };
    expect(drawChains([chain('f1', [backup('f1', { ...cluster, fork: '1' })])])).toContain(
      'timeline 1, 0/1C09FC0',
    );
    expect(drawChains([chain('f1', [backup('f1', { ...cluster, fork: '2-5c6b39a1f0e2d4b7' })])])).toContain(
      'timeline 2, 0/1C09FC0',
    );
  });

  it('hangs an incremental below its parent, a differential below its base, and keeps a copy-only full apart', () => {
    const picture = drawChains([
      chain('f1', [
        backup('f1', {}),
        backup('i1', { type: 'incremental', parent: 'f1', base: 'f1' }),
        backup('i2', { type: 'incremental', parent: 'i1', base: 'f1', state: 'damaged' }),
        backup('d1', { type: 'differential', base: 'f1' }),
      ]),
      chain('c1', [backup('c1', { copyOnly: true, chain: 'c1' })], { copyOnly: true, newest: false }),
    ]);
    const shape = picture
      .split('\n')
      .map((line) => line.replace(/ {2}(full|incremental|differential).*?(DAMAGED)?$/, ' $2').trimEnd());
    expect(shape).toEqual([
      'home in vault',
      '● f1',
      '  ├─ i1',
      '  │  └─ i2 DAMAGED',
      '  └─ d1',
      '  (the next incremental or differential joins this chain)',
      'copy-only, apart from the chains:',
      '● c1',
    ]);
  });

  it('draws dependents also when the full itself is unknown', () => {
    expect(
      drawChains([
        chain('gone', [backup('i1', { type: 'incremental', parent: 'gone', base: 'gone', chain: 'gone' })]),
      ]),
    ).toContain('● gone  (not in the catalog)\n  └─ i1');
  });
});
