import { describe, expect, it } from '@jest/globals';
import { CommitScanner } from './commit-scanner.ts';
import type { TransactionEnd } from './record-listener.ts';
import { RecordWalk } from './record-walk.ts';

const PAGE = 8192;
const SIZE = 16n * 1024n * 1024n;
const FROM = 3n * SIZE;
const CONTINUED = 0x0001;
const OVERWRITES = 0x0008;
const HEAP = 10;
const TRANSACTIONS = 1;

/** A page of the log, with what is behind its header. */
function page(number: number, content: Buffer, { flags = 0, remaining = 0 } = {}): Buffer {
  const bytes = Buffer.alloc(PAGE);
  bytes.writeUInt16LE(0xd116, 0);
  bytes.writeUInt16LE(flags, 2);
  bytes.writeUInt32LE(1, 4);
  bytes.writeBigUInt64LE(FROM + BigInt(number * PAGE), 8);
  bytes.writeUInt32LE(remaining, 16);
  content.copy(bytes, number === 0 ? 40 : 24);
  return bytes;
}

function record(manager: number, length: number, { xid = 0, at = 0n } = {}): Buffer {
  const bytes = Buffer.alloc(Math.ceil(length / 8) * 8, manager);
  bytes.writeUInt32LE(length, 0);
  bytes.writeUInt32LE(xid, 4);
  bytes[16] = 0;
  bytes[17] = manager;
  if (manager === TRANSACTIONS) {
    bytes.writeUInt16LE(255 | (8 << 8), 24);
    bytes.writeBigInt64LE(at, 26);
  }
  return bytes;
}

const commit = (xid: number) => record(TRANSACTIONS, 34, { xid });

function transactionsIn(wal: Buffer, length = wal.length): number[] {
  const ended: TransactionEnd[] = [];
  const walk = new RecordWalk(FROM, SIZE, { transaction: (one) => ended.push(one) });
  for (let at = 0; at < wal.length; at += length) walk.push(wal.subarray(at, at + length));
  return ended.map(({ xid }) => xid);
}

describe('a record that a crash has cut short', () => {
  // The server goes on with the next page, which does not go on with the record.
  const begin = record(HEAP, 20_000);
  const first = page(0, Buffer.concat([commit(7), begin]));
  const room = PAGE - 40 - commit(7).length;
  const second = page(1, begin.subarray(room), { flags: CONTINUED, remaining: 20_000 - room });
  const third = page(2, Buffer.concat([commit(8), commit(9)]), { flags: OVERWRITES });

  it('is left, and what the server wrote instead is understood', () => {
    const wal = Buffer.concat([first, second, third]);
    expect(transactionsIn(wal)).toEqual([7, 8, 9]);
    expect(transactionsIn(wal, 61)).toEqual([7, 8, 9]);
  });

  it('is left where what goes on is another record', () => {
    const other = page(2, commit(8), { flags: CONTINUED, remaining: 40 });
    expect(transactionsIn(Buffer.concat([first, second, other]))).toEqual([7]);
    const behind = page(2, Buffer.concat([commit(8), commit(9)]), { flags: CONTINUED, remaining: 40 });
    expect(transactionsIn(Buffer.concat([first, second, behind]))).toEqual([7, 9]);
  });

  it('is left by who began to read in the middle of it', () => {
    const beginning = page(0, begin, { flags: CONTINUED, remaining: 90_000 });
    expect(transactionsIn(Buffer.concat([beginning, page(1, commit(8), { flags: OVERWRITES })]))).toEqual([
      8,
    ]);
  });

  it('does not hold back what follows', () => {
    const scanner = new CommitScanner(FROM, SIZE);
    scanner.push(Buffer.concat([first, second, third]));
    const next = FROM + SIZE + BigInt(PAGE);
    expect(scanner.understoodUntil(next)).toBe(next);
    expect(scanner.commits.count).toBe(3);
  });
});
