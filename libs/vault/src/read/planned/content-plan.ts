import type { ObjectIdentity } from '../../container/object-header.ts';

/** An object that any thread of this process can read from. */
export interface PlannedObject {
  readonly identity: ObjectIdentity;
  readonly secret?: Uint8Array;
  /** Open until the plan is released. */
  readonly descriptor: number;
}

/**
 * Where some content lies, front to back, in numbers that pass cheaply from thread to thread. It says nothing that was
 * verified: whoever carries it out unseals each unit, and compares what comes of it with the hash of the content.
 */
export interface ContentPlan {
  readonly objects: readonly PlannedObject[];
  /** Three numbers for each unit: index of its object, offset and length. */
  readonly units: Float64Array;
  /** Three numbers for each stretch: 1 + index of its unit (0: zeros), where it begins in the unit, bytes. */
  readonly stretches: Float64Array;
}

/** Numbers for each unit, and for each stretch. */
export const PLAN_WORDS = 3;

/** A plan with the objects that it needs held open. */
export interface LeasedPlan {
  readonly plan: ContentPlan;
  /** Bytes of content. */
  readonly bytes: number;
  /** Those of them that are not known to be zeros. */
  readonly dataBytes: number;
  /** Bytes that are read of objects for it. */
  readonly sealedBytes: number;
  /** To be called once nobody reads by the plan any more. */
  readonly release: () => Promise<void>;
}
