import { describe, expect, it } from '@jest/globals';
import type { BackupView, ChainView, RecoveryWindowView } from '@catena/events';
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
    const begun = { ...cluster, fork: '1', start: '29360168', driverDetails: { serverVersion: '18.4' } };
    expect(drawChains([chain('f1', [backup('f1', begun)])])).toContain(
      'timeline 1, 0/1C00028–0/1C09FC0  PostgreSQL 18.4',
    );
  });

  it('says from when to when any moment can be had back, and names what is missing', () => {
    const window = {
      ...{ source: 'home', repository: 'vault', collection: 'col-1', family: 'postgres:1', fork: '1' },
      ...{ backup: 'f1', logs: 2, bytesAdded: 2048 },
    };
    const first: RecoveryWindowView = {
      ...window,
      ...{ from: '2026-01-01T00:00:00.000Z', to: '2026-01-01T06:00:00.000Z', fromPosition: '256' },
      ...{ toPosition: '512', knownUntil: '2026-01-01T06:00:00.000Z' },
    };
    const second: RecoveryWindowView = {
      ...window,
      ...{ from: '2026-01-01T09:00:00.000Z', to: '2026-01-01T10:00:00.000Z', fromPosition: '800' },
      ...{ toPosition: '1024', knownUntil: '2026-01-01T10:00:00.000Z' },
      gap: { from: first.to, fromPosition: '512', toPosition: '768' },
      lost: { position: '1024', reason: 'slotLost', at: '2026-01-01T11:00:00.000Z' },
    };
    expect(
      drawChains([chain('f1', [backup('f1', {})])], [second, first])
        .split('\n')
        .slice(-4),
    ).toEqual([
      'any moment from 2026-01-01 00:00:00Z to 2026-01-01 06:00:00Z  timeline 1, 0/100–0/200  2 logs, +2.0 KiB',
      'GAP: no moment between 2026-01-01 06:00:00Z and 2026-01-01 09:00:00Z, but the backups themselves; no log of timeline 1, 0/200–0/300',
      'any moment from 2026-01-01 09:00:00Z to 2026-01-01 10:00:00Z  timeline 1, 0/320–0/400  2 logs, +2.0 KiB',
      'GAP: the log after 2026-01-01 10:00:00Z is gone (found out at 2026-01-01 11:00:00Z: its slot was lost); the next data backup begins anew',
    ]);
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
