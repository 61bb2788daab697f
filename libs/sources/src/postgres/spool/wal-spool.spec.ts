import { linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ScratchFolder } from '../../testing/sample-tree.ts';
import { segmentName } from '../wire/lsn.ts';
import { positionOfSegment, readWalFileName } from './wal-file-name.ts';
import { WalSpool } from './wal-spool.ts';

const SIZE = 1 << 20;

/** A segment as a server begins one, filled with something. */
function segment(name: string, filler: number, system = 7_000_000_000_000_000_001n): Buffer {
  const bytes = Buffer.alloc(SIZE, filler);
  bytes.writeUInt16LE(0xd116, 0);
  bytes.writeUInt16LE(0x0006, 2);
  bytes.writeBigUInt64LE(positionOfSegment(name, BigInt(SIZE)), 8);
  bytes.writeBigUInt64LE(system, 24);
  bytes.writeUInt32LE(SIZE, 32);
  return bytes;
}

describe('names of files of the log', () => {
  it.each([
    ['000000010000000A000000FE', { kind: 'segment', timeline: 1, segment: '000000010000000A000000FE' }],
    [
      '000000010000000A000000FE.partial',
      { kind: 'partial', timeline: 1, segment: '000000010000000A000000FE' },
    ],
    ['0000000B.history', { kind: 'history', timeline: 11 }],
    ['000000010000000A000000FE.00000028.backup', { kind: 'backup', timeline: 1 }],
    ['postgresql.conf', undefined],
    ['../000000010000000A000000FE', undefined],
  ])('%s', (name, expected) => expect(readWalFileName(name)).toEqual(expected));

  it('a segment begins where its name says', () => {
    for (const size of [1n << 20n, 16n << 20n, 1n << 30n]) {
      const position = 0x2a_0000_0000n + 5n * size;
      expect(positionOfSegment(segmentName(1, position, size), size)).toBe(position);
    }
  });
});

describe('the folder that a server pushes its log into', () => {
  const scratch = new ScratchFolder();
  const name = '000000010000000000000003';
  const spool = new WalSpool(scratch.at('spool'));
  const put = (file: string, bytes: Buffer): string => {
    const place = scratch.at(file);
    writeFileSync(place, bytes);
    return place;
  };
  afterAll(() => scratch.remove());

  it('takes a segment, once and again, byte for byte, and gives it back', async () => {
    const file = put(name, segment(name, 1));
    expect(await spool.push(file)).toBe('added');
    expect(await spool.push(file)).toBe('there');
    expect(await spool.fetch(name, scratch.at('given'))).toBe(true);
    expect(readFileSync(scratch.at('given')).equals(segment(name, 1))).toBe(true);
    expect(await spool.fetch('000000010000000000000004', scratch.at('none'))).toBe(false);
    expect(readdirSync(spool.folder).toSorted()).toEqual([name, 'cluster.json']);
  });

  it('removes what a push that was killed has left of it', async () => {
    const left = spool.at(`.${name}.999999.new`);
    writeFileSync(left, segment(name, 1).subarray(0, 5000));
    expect(await spool.push(put(name, segment(name, 1)))).toBe('there');
    expect(readdirSync(spool.folder).toSorted()).toEqual([name, 'cluster.json']);
  });

  it('refuses a segment of the same name with other content, and keeps what is there', async () => {
    await expect(spool.push(put(name, segment(name, 2)))).rejects.toMatchObject({
      code: 'wal.other-content',
    });
    expect(readFileSync(spool.at(name)).equals(segment(name, 1))).toBe(true);
  });

  it('writes to nothing that a push that was killed has left: that may be the segment itself', async () => {
    // Killed when the segment had its name and the other was not taken away; in a container the next has the same number.
    linkSync(spool.at(name), spool.at(`.${name}.${process.pid}.new`));
    await expect(spool.push(put(name, segment(name, 2)))).rejects.toMatchObject({
      code: 'wal.other-content',
    });
    expect(readFileSync(spool.at(name)).equals(segment(name, 1))).toBe(true);
    expect(readdirSync(spool.folder).toSorted()).toEqual([name, 'cluster.json']);
  });

  it('takes a file that several servers push at the same time', async () => {
    const twice = '000000010000000000000009';
    const file = put(twice, segment(twice, 1));
    const pushed = await Promise.all(Array.from({ length: 8 }, () => spool.push(file)));
    expect(pushed.toSorted().slice(0, 2)).toEqual(['added', 'there']);
    expect(readFileSync(spool.at(twice)).equals(segment(twice, 1))).toBe(true);
    rmSync(spool.at(twice));
  });

  it('refuses what is not what its name says, and the log of another cluster', async () => {
    const other = '000000010000000000000004';
    await expect(spool.push(put(other, segment(name, 1)))).rejects.toMatchObject({ code: 'wal.damaged' });
    await expect(spool.push(put(other, segment(other, 1).subarray(0, 4096)))).rejects.toMatchObject({
      code: 'wal.damaged',
    });
    await expect(spool.push(put(other, segment(other, 1, 42n)))).rejects.toMatchObject({
      code: 'wal.other-cluster',
    });
    await expect(spool.push(put('pg_hba.conf', Buffer.from('#')))).rejects.toMatchObject({
      code: 'wal.not-a-log-file',
    });
    expect(await spool.names()).toEqual([name]);
  });

  it('takes history, partial and backup files, and lets go of segments that are over', async () => {
    const next = '000000010000000000000004';
    await spool.push(put('00000002.history', Buffer.from('1\t0/3000000\tno recovery target specified\n')));
    await spool.push(put(`${next}.partial`, segment(next, 3)));
    await spool.push(put(`${name}.00000028.backup`, Buffer.from('START WAL LOCATION: …\n')));
    expect((await spool.names()).length).toBe(4);
    await spool.release(positionOfSegment(next, BigInt(SIZE)), BigInt(SIZE));
    expect(await spool.names()).toEqual([`${next}.partial`, '00000002.history'].toSorted());
    expect(await new WalSpool(path.join(spool.folder, 'nobody')).names()).toEqual([]);
  });
});
