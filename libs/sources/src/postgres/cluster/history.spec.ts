import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { withoutIncrementalLines } from '../restoring/prepare-copy.ts';
import { baseBackupCommand, type BaseBackupOptions } from '../wire/base-backup.ts';
import { formatLsn, parseLsn, segmentName, segmentStart } from '../wire/lsn.ts';
import { forkOf, historyOfAncestor, parseTimelineHistory, timelineOf } from './fork.ts';
import { ServerManifest, type ManifestFile } from './server-manifest.ts';

describe('log sequence numbers', () => {
  it.each([
    ['0/0', 0n],
    ['16/B374D848', 97_500_059_720n],
    ['FFFFFFFF/FFFFFFFF', 18_446_744_073_709_551_615n],
  ])('%s', (text, value) => {
    expect(parseLsn(text)).toBe(value);
    expect(formatLsn(value)).toBe(text);
  });

  it('lie in segments that are named as the server names them', () => {
    expect(segmentName(1, parseLsn('0/1000028'), 16_777_216n)).toBe('000000010000000000000001');
    expect(segmentName(3, parseLsn('A/FF000000'), 16_777_216n)).toBe('000000030000000A000000FF');
    expect(formatLsn(segmentStart(parseLsn('A/FF123456'), 16_777_216n))).toBe('A/FF000000');
    expect(() => parseLsn('A')).toThrow(RangeError);
  });
});

describe('forks', () => {
  const history = '1\t0/3000148\tno recovery target specified\n\n2\t0/50000A0\tbefore 2026-01-01\n';

  it('name where they left which branch', () => {
    const three = forkOf(3, parseTimelineHistory(history));
    const two = forkOf(2, parseTimelineHistory(history).slice(0, 1));
    expect(forkOf(1, [])).toEqual({ fork: '1' });
    expect(two).toEqual({ fork: two.fork, forkParent: '1', forkAt: String(parseLsn('0/3000148')) });
    expect(three).toEqual({ fork: three.fork, forkParent: two.fork, forkAt: String(parseLsn('0/50000A0')) });
    expect(timelineOf(three.fork)).toBe(3);
  });

  it('have histories that begin with those of their ancestors', () => {
    expect(historyOfAncestor(history, 2)).toBe('1\t0/3000148\tno recovery target specified\n');
    for (const other of [1, 3, 4]) expect(historyOfAncestor(history, other)).toBeUndefined();
  });

  it('tell two timelines of the same number apart', () => {
    const other = forkOf(2, parseTimelineHistory('1\t0/3000150\tno recovery target specified\n'));
    expect(other.fork).not.toBe(forkOf(2, parseTimelineHistory(history).slice(0, 1)).fork);
  });
});

describe("the server's manifest", () => {
  const lines = [
    '{ "PostgreSQL-Backup-Manifest-Version": 2,\n',
    '"System-Identifier": 7710291030033773434,\n',
    '"Files": [\n',
    '{ "Path": "backup_label", "Size": 227, "Last-Modified": "2026-01-01 00:00:00 GMT", "Checksum-Algorithm": "SHA256", "Checksum": "ab" },\n',
    '{ "Encoded-Path": "ff61", "Size": 0, "Last-Modified": "2026-01-01 00:00:00 GMT" }\n',
    '],\n',
    '"WAL-Ranges": [\n{ "Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000100" }\n],\n',
  ].join('');
  const sealed = `${lines}"Manifest-Checksum": "${createHash('sha256').update(lines).digest('hex')}"}\n`;

  const read = (text: string, size: number) => {
    const files: ManifestFile[] = [];
    const manifest = new ServerManifest((file) => void files.push(file));
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += size) manifest.push(bytes.subarray(at, at + size));
    manifest.end();
    return files;
  };

  it.each([1, 7, 4096])('is read in pieces of %i bytes', (size) => {
    expect(read(sealed, size)).toEqual([
      { path: 'backup_label', size: 227, checksum: 'ab', algorithm: 'SHA256' },
      { path: '\ufffda', size: 0 },
    ]);
  });

  it('is refused when a byte of it changed, or its end is missing', () => {
    expect(() => read(sealed.replace('227', '228'), 100)).toThrow('checksum');
    expect(() => read(lines, 100)).toThrow('no end');
  });
});

describe('commands', () => {
  const options: BaseBackupOptions = {
    label: "it's",
    checkpoint: 'fast',
    includeWal: true,
    manifestChecksums: 'SHA256',
    verifyChecksums: false,
    maxRate: 100,
  };

  it('ask for a base backup as each version wants it', () => {
    expect(baseBackupCommand({ ...options, incremental: true }, 18)).toBe(
      "BASE_BACKUP (LABEL 'it''s', CHECKPOINT 'fast', PROGRESS false, WAL true, WAIT false, MANIFEST 'yes', MANIFEST_CHECKSUMS 'SHA256', TABLESPACE_MAP true, VERIFY_CHECKSUMS false, MAX_RATE 100, INCREMENTAL)",
    );
    expect(baseBackupCommand(options, 14)).toBe(
      "BASE_BACKUP LABEL 'it''s' FAST WAL NOWAIT MAX_RATE 100 TABLESPACE_MAP NOVERIFY_CHECKSUMS MANIFEST 'yes' MANIFEST_CHECKSUMS 'SHA256'",
    );
  });
});

it('a label that says incremental is put right, because everything has been put together', () => {
  const label =
    'START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\nINCREMENTAL FROM LSN: 0/1000028\nINCREMENTAL FROM TLI: 1\nLABEL: Catena\n';
  expect(withoutIncrementalLines(label)).toBe(
    'START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\nLABEL: Catena\n',
  );
});
