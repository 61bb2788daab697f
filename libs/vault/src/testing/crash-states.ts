import { createHash } from 'node:crypto';
import type { Acknowledged, Change, DiskRecorder, Node } from './disk-recorder.ts';

/** What a power cut may have left, with what had been acknowledged before it. */
export interface CrashState {
  /** Every object, by name. Files that begin with a dot are no objects. */
  readonly objects: ReadonlyMap<string, Uint8Array>;
  readonly acknowledged: ReadonlySet<string>;
  /** The step before which the power went. */
  readonly step: number;
}

/** How the states were come by. */
export interface Enumeration {
  readonly states: readonly CrashState[];
  /** Combinations of unsynced changes that were looked at; many leave the same. */
  readonly combinations: number;
  /** Moments with so many unsynced changes that only some of their combinations were looked at. */
  readonly sampled: number;
}

/** All combinations of up to so many unsynced changes are looked at. */
const ALL_UP_TO = 10;
const SAMPLES = 256;

/**
 * Every state in which a power cut at any moment may leave the disk: what was synced is there, and of what was begun and
 * not synced any part, from a step on. That a file and its name are synced by different calls, as POSIX has it, is taken at its word.
 */
export function crashStates(recorder: DiskRecorder, from = 1): Enumeration {
  const found = new Map<string, CrashState>();
  let combinations = 0;
  let sampled = 0;
  for (let step = from; step <= recorder.steps + 1; step++) {
    const begun = recorder.changes.filter((change) => change.begun < step);
    const { durable, open } = bySync(recorder, begun, step);
    const loose = relevant(recorder.root, begun, open);
    if (loose.length > ALL_UP_TO) sampled++;
    const acknowledged = recorder.acknowledged.filter(({ at }) => at < step);
    for (const kept of subsets(loose, step)) {
      combinations++;
      const objects = objectsOf(
        recorder.root,
        begun.filter((change) => durable.has(change) || kept.has(change)),
      );
      const key = stateKey(objects, acknowledged);
      if (!found.has(key))
        found.set(key, { objects, acknowledged: new Set(acknowledged.map(({ what }) => what)), step });
    }
  }
  return { states: [...found.values()], combinations, sampled };
}

function bySync(
  recorder: DiskRecorder,
  begun: readonly Change[],
  step: number,
): { durable: ReadonlySet<Change>; open: readonly Change[] } {
  const syncs = recorder.syncs.filter(({ done }) => done < step);
  const durable = new Set(
    begun.filter((change) => syncs.some((sync) => sync.of === change.of && change.done < sync.begun)),
  );
  return { durable, open: begun.filter((change) => !durable.has(change)) };
}

/** Changes that can be seen under the name of an object, whatever else is kept. */
function relevant(root: Node, begun: readonly Change[], open: readonly Change[]): Change[] {
  const reachable = new Set([root]);
  const isSeen = ({ of, what }: Change) =>
    reachable.has(of) && !(what.kind === 'name' && what.name.startsWith('.'));
  for (let before = -1; before !== reachable.size;) {
    before = reachable.size;
    for (const change of begun)
      if (change.what.kind === 'name' && change.what.node !== undefined && isSeen(change))
        reachable.add(change.what.node);
  }
  return open.filter(isSeen);
}

function* subsets(changes: readonly Change[], seed: number): Iterable<ReadonlySet<Change>> {
  if (changes.length <= ALL_UP_TO) {
    for (let bits = 0; bits < 2 ** changes.length; bits++)
      yield new Set(changes.filter((_, index) => (bits >> index) & 1));
    return;
  }
  yield new Set();
  yield new Set(changes);
  for (const change of changes) {
    yield new Set([change]);
    yield new Set(changes.filter((other) => other !== change));
  }
  for (let sample = 0; sample < SAMPLES; sample++) {
    const chance = createHash('sha256').update(`${seed}/${sample}`).digest();
    yield new Set(changes.filter((_, index) => (chance[index % 32]! >> (index % 8)) & 1));
  }
}

/** The objects that can be found after some changes, in the order in which these were made. */
function objectsOf(root: Node, changes: readonly Change[]): Map<string, Uint8Array> {
  const folders = new Map<Node, Map<string, Node>>();
  const contents = new Map<Node, Change[]>();
  for (const change of changes) {
    const { of, what } = change;
    if (what.kind === 'write') contents.set(of, [...(contents.get(of) ?? []), change]);
    else {
      const names = folders.get(of) ?? new Map<string, Node>();
      folders.set(of, names);
      if (what.node === undefined) names.delete(what.name);
      else names.set(what.name, what.node);
    }
  }
  const objects = new Map<string, Uint8Array>();
  const walk = (folder: Node, prefix: string): void => {
    for (const [name, node] of folders.get(folder) ?? []) {
      if (name.startsWith('.')) continue;
      if (node.kind === 'folder') walk(node, `${prefix}${name}/`);
      else objects.set(prefix + name, contentOf(contents.get(node) ?? []));
    }
  };
  walk(root, '');
  return objects;
}

/** What was never written, before something that was, reads as zeros. */
function contentOf(writes: readonly Change[]): Uint8Array {
  const pieces = writes.flatMap(({ what }) => (what.kind === 'write' ? [what] : []));
  if (pieces.length === 1 && pieces[0]!.at === 0) return pieces[0]!.bytes;
  const content = Buffer.alloc(Math.max(0, ...pieces.map(({ at, bytes }) => at + bytes.length)));
  for (const { at, bytes } of pieces) content.set(bytes, at);
  return content;
}

const hashes = new WeakMap<Uint8Array, string>();

function hashOf(bytes: Uint8Array): string {
  const known = hashes.get(bytes) ?? createHash('sha1').update(bytes).digest('hex');
  hashes.set(bytes, known);
  return known;
}

function stateKey(objects: ReadonlyMap<string, Uint8Array>, acknowledged: readonly Acknowledged[]): string {
  const names = [...objects]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, bytes]) => `${name}=${hashOf(bytes)}`);
  return [...names, ...acknowledged.map(({ what }) => what)].join('\n');
}
