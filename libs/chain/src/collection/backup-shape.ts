import type { BackupType, Failure } from '@catena/events';
import { isNamedBy } from '../run/find-backup.ts';
import type { ArchivePoint, CollectedBackup, CollectionState } from './collection-state.ts';
import type { BackupRequest } from './plan-backup.ts';
import { cannotJoin, logChainNotStarted, noFull } from './refuse-backup.ts';
import { differentialBaseOf, familyOf, isExtendable, newestDataBackupOf, standingOf } from './usable.ts';

/** What becomes of the type that was asked for, and what it is computed from. */
export interface BackupShape {
  readonly type: BackupType;
  readonly copyOnly: boolean;
  readonly parent?: string;
  readonly base?: string;
  readonly from?: ArchivePoint;
  readonly promotedFrom?: BackupType;
  readonly reason?: string;
}

/** Why a differential that was asked for as copy-only is a plain one (rules.md 1.2). */
export const COPY_ONLY_IGNORED =
  'Copy-only has no effect on a differential: it is a plain differential of its full.';

/** The shape of a backup, or why there is none. */
export function shapeOf(
  state: CollectionState,
  request: BackupRequest,
): { readonly shape: BackupShape } | { readonly failure: Failure } {
  if (request.type === 'full') return { shape: { type: 'full', copyOnly: request.copyOnly } };
  if (request.type === 'log') return logShape(state, request);
  const chain = request.into === undefined ? undefined : chainToJoin(state, request.into);
  if (chain !== undefined && 'failure' in chain) return chain;
  const shape =
    request.type === 'differential'
      ? differential(chain?.full ?? differentialBaseOf(state))
      : incremental(newestDataBackupOf(state, chain?.full.backup));
  if (shape === undefined) {
    const why = whyNoFull(state);
    if (request.whenNoFull === 'fail') return { failure: noFull(request, why) };
    return { shape: fullInstead(request.type, why) };
  }
  return { shape: request.copyOnly ? { ...shape, reason: COPY_ONLY_IGNORED } : shape };
}

/** A full is taken instead, and the event says so (rules.md 1.6 and 1.7). */
export function fullInstead(asked: BackupType, why: string): BackupShape {
  return {
    type: 'full',
    copyOnly: false,
    promotedFrom: asked,
    reason: `A full is taken instead of the ${asked}: ${why}.`,
  };
}

function differential(base: CollectedBackup | undefined): BackupShape | undefined {
  return base && { type: 'differential', copyOnly: false, base: base.backup };
}

function incremental(parent: CollectedBackup | undefined): BackupShape | undefined {
  return parent && { type: 'incremental', copyOnly: false, parent: parent.backup, base: parent.chain };
}

/** A copy-only log begins where the next regular one does, and moves nothing (rules.md 1.3). */
function logShape(
  state: CollectionState,
  request: BackupRequest,
): { readonly shape: BackupShape } | { readonly failure: Failure } {
  const from = state.archivePoint;
  if (from === undefined) return { failure: logChainNotStarted(request.source, request.repository) };
  return { shape: { type: 'log', copyOnly: request.copyOnly, from } };
}

function chainToJoin(
  state: CollectionState,
  into: string,
): { readonly full: CollectedBackup } | { readonly failure: Failure } {
  if (into === 'latest') {
    const base = differentialBaseOf(state);
    return base === undefined ? { failure: cannotJoin(into, whyNoFull(state)) } : { full: base };
  }
  const fulls = [...state.backups.values()].filter(
    (one) => one.type === 'full' && isNamedBy(one.backup, into),
  );
  const [full, second] = fulls;
  if (full === undefined) return { failure: cannotJoin(into, 'no full has an id that begins so') };
  if (second !== undefined)
    return { failure: cannotJoin(into, `${fulls.length} fulls have ids that begin so`) };
  const why = whyNotJoined(state, full);
  return why === undefined ? { full } : { failure: cannotJoin(into, why) };
}

function whyNotJoined(state: CollectionState, full: CollectedBackup): string | undefined {
  if (full.copyOnly) return 'it is copy-only, and never a base';
  const family = familyOf(state);
  if (full.family !== family) return `it is of ${full.family}, and the source is ${family ?? 'unknown'}`;
  const standing = standingOf(state, full.backup);
  if (!standing.usable) return `${standing.through} is ${standing.reason}`;
  return isExtendable(state, full) ? undefined : 'the source has left the branch it was taken from';
}

function whyNoFull(state: CollectionState): string {
  const conventional = [...state.backups.values()].some((one) => one.type === 'full' && !one.copyOnly);
  return conventional ? 'the full it would depend on cannot be used' : 'the collection has no full yet';
}
