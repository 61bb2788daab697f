import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fs from 'node:fs';
import path from 'node:path';
import type { ObjectIdentity } from '../../container/object-header.ts';
import { RAW_METHOD } from '../../container/unit-codec.ts';
import { unitSeal } from '../../container/unit-seal.ts';
import { seededBytes, temporaryFolder } from '../../testing/index.ts';
import type { ContentPlan } from './content-plan.ts';
import { PlanReader, UnreadableUnitError } from './plan-reader.ts';

const UNITS = 60;
const UNIT_BYTES = 4096;
const PIECE_BYTES = 512;
const identity: ObjectIdentity = {
  kind: 'pack',
  number: 1,
  volume: '00'.repeat(16),
  origin: '11'.repeat(16),
  key: '22'.repeat(8),
};
const secret = seededBytes(32, 1);
const plain = Array.from({ length: UNITS }, (_, i) => seededBytes(UNIT_BYTES, i + 2));

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let descriptor: number;
const places: { offset: number; length: number }[] = [];

beforeAll(async () => {
  folder = await temporaryFolder();
  const seal = unitSeal(identity, secret);
  const parts: Buffer[] = [];
  let offset = 0;
  for (const unit of plain) {
    const sealed = Buffer.concat(seal.seal([RAW_METHOD, unit], offset));
    places.push({ offset, length: sealed.length });
    parts.push(sealed);
    offset += sealed.length;
  }
  const file = path.join(folder.path, 'pack');
  fs.writeFileSync(file, Buffer.concat(parts));
  descriptor = fs.openSync(file, 'r');
});
afterAll(async () => {
  fs.closeSync(descriptor);
  await folder.remove();
});

/** A plan of the first units, of which the content takes pieces in turn, with zeros in between. */
function planOver(units: number): { plan: ContentPlan; content: Buffer } {
  const stretches: number[] = [];
  const content: Buffer[] = [];
  for (let start = 0; start < UNIT_BYTES; start += PIECE_BYTES) {
    for (const [i, unit] of plain.slice(0, units).entries()) {
      stretches.push(i + 1, start, PIECE_BYTES);
      content.push(unit.subarray(start, start + PIECE_BYTES));
    }
    stretches.push(0, 0, 100);
    content.push(Buffer.alloc(100));
  }
  return { plan: planOf(places.slice(0, units), stretches), content: Buffer.concat(content) };
}

function planOf(units: readonly { offset: number; length: number }[], stretches: number[]): ContentPlan {
  return {
    objects: [{ identity, secret, descriptor }],
    units: Float64Array.from(units.flatMap(({ offset, length }) => [0, offset, length])),
    stretches: Float64Array.from(stretches),
  };
}

function read(reader: PlanReader, plan: ContentPlan): Buffer {
  const content: Buffer[] = [];
  for (const piece of reader.begin(plan).pieces())
    content.push(typeof piece === 'number' ? Buffer.alloc(piece) : Buffer.from(piece));
  return Buffer.concat(content);
}

describe.each([
  ['a few units', 5],
  ['more units than are looked at in turn', UNITS],
])('content in %s', (_, units) => {
  it.each([
    ['all of them kept', UNITS * UNIT_BYTES],
    ['none kept', 0],
  ])('comes front to back, with %s, also the second time', (_kept, cacheBytes) => {
    const reader = new PlanReader(cacheBytes);
    const { plan, content } = planOver(units);
    expect(read(reader, plan).equals(content)).toBe(true);
    expect(read(reader, plan).equals(content)).toBe(true);
  });

  it('can be taken stretch by stretch', () => {
    const { plan, content } = planOver(units);
    const pass = new PlanReader(0).begin(plan);
    expect([...pass.pieces(1)]).toEqual([content.subarray(0, PIECE_BYTES)]);
    pass.skipTo(3);
    expect([...pass.pieces(1)]).toEqual([content.subarray(3 * PIECE_BYTES, 4 * PIECE_BYTES)]);
  });
});

it.each([0, 16 * UNIT_BYTES, 1000 * UNIT_BYTES])(
  'content that repeats itself comes as it is, with %s bytes of units kept',
  (cacheBytes) => {
    const units = plain.slice(0, 20);
    const stretches = [1, 2, 3].flatMap(() => units.flatMap((_, i) => [i + 1, 0, UNIT_BYTES]));
    const plan = planOf(places.slice(0, 20), stretches);
    const reader = new PlanReader(cacheBytes);
    for (let time = 1; time <= 2; time++)
      expect(read(reader, plan).equals(Buffer.concat([...units, ...units, ...units]))).toBe(true);
  },
);

it.each<[what: string, plan: () => ContentPlan]>([
  ['a stretch that goes on behind its unit', () => planOf(places.slice(0, 1), [1, UNIT_BYTES - 1, 2])],
  ['a stretch of a unit that is not there', () => planOf(places.slice(0, 1), [2, 0, 1])],
  ['a unit at another place', () => planOf([{ offset: 1, length: 4113 }], [1, 0, 1])],
  ['a unit behind the end of its object', () => planOf([{ offset: 1e9, length: 4113 }], [1, 0, 1])],
  ['a unit too short to be one', () => planOf([{ offset: 0, length: 3 }], [1, 0, 1])],
])('does not give out %s', (_, plan) => {
  expect(() => read(new PlanReader(0), plan())).toThrow(UnreadableUnitError);
});
