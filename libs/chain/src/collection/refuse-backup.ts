import type { DefinitionSnapshot, Failure } from '@catena/events';
import type { BackupPlanningContext, BackupRequest } from './plan-backup.ts';
import type { CollectionState } from './collection-state.ts';
import { familyOf } from './usable.ts';

/** Why a request can be refused before anything is looked at; undefined when nothing is against it. */
export function refuseOutright(
  state: CollectionState,
  request: BackupRequest,
  context: BackupPlanningContext,
): Failure | undefined {
  const { source, repository } = request;
  if (request.type === 'log' && context.keepsLog !== true) return keepsNoLog(source);
  if (request.copyOnly && request.type === 'incremental') {
    return final(
      'chain.copy-only-incremental',
      `An incremental of ${source} cannot be copy-only: it would depend on the chain it must not touch.`,
      'Use a copy-only full.',
    );
  }
  const family = familyOf(state);
  if (family !== undefined && context.family !== undefined && family !== context.family) {
    return familyChanged(source, repository, family, context.family);
  }
  const takesAway = request.copyOnly && request.type !== 'differential';
  return takesAway ? keyStaysHere(context.repository) : undefined;
}

/** Another thing lives at the same address (rules.md section 1, row "family changed"). */
export function familyChanged(source: string, repository: string, known: string, now: string): Failure {
  return final(
    'chain.family-changed',
    `The source ${source} is not what its chains in ${repository} were taken from: they are of ${known}, it is ${now}.`,
    `To go on with a new chain: catena accept ${source} --repository ${repository} --family '${now}'. Else define it as a new source. Nothing was changed.`,
  );
}

/** Rule 1.4: a log needs something to be rolled on. */
export function logChainNotStarted(source: string, repository: string): Failure {
  return final(
    'chain.log-chain-not-started',
    `No log of ${source} can be taken into ${repository}: its log chain has not begun.`,
    'Take a full, a differential or an incremental first; a copy-only full begins no log chain.',
  );
}

/** Rule 1.6 with whenNoFull: fail. */
export function noFull(request: BackupRequest, why: string): Failure {
  return final(
    'chain.no-full',
    `The ${request.type} of ${request.source} in ${request.repository} cannot be taken: ${why}.`,
    'Take a full, or ask with whenNoFull: full so that one is taken instead.',
  );
}

/** Rule 1.9: what was chosen by hand cannot be joined. */
export function cannotJoin(into: string, why: string): Failure {
  return final(
    'chain.cannot-join',
    `Nothing can be added to "${into}": ${why}.`,
    'catena chains shows what there is; use --into latest or another chain.',
  );
}

/** Rule 1.5: refused before any I/O. */
function keepsNoLog(source: string): Failure {
  return final(
    'chain.source-keeps-no-log',
    `The source ${source} keeps no log, so there is nothing a log backup could take.`,
    'Use incremental backups for it, or turn its log on.',
  );
}

/** Rule 1.1: a copy-only backup is made to be taken elsewhere, where a key that cannot leave is of no use. */
function keyStaysHere(repository: DefinitionSnapshot): Failure | undefined {
  const keys = keysOf(repository);
  if (keys.length === 0 || keys.some(isPortable)) return undefined;
  return final(
    'chain.key-not-portable',
    `A copy-only backup is made to be taken elsewhere, and no key of the repository ${repository.name} can leave.`,
    'Add a passphrase or a key file to the repository, or mark a key with portable: true.',
  );
}

function keysOf(repository: DefinitionSnapshot): readonly Record<string, unknown>[] {
  const encryption = repository.spec['encryption'];
  const keys = isRecord(encryption) ? encryption['keys'] : undefined;
  return Array.isArray(keys) ? keys.filter(isRecord) : [];
}

/** A key that a service keeps cannot leave, unless its definition says so; all others can, unless it says they cannot. */
function isPortable(key: Record<string, unknown>): boolean {
  const said = key['portable'];
  return typeof said === 'boolean' ? said : !('kms' in key);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function final(code: string, message: string, remedy: string): Failure {
  return { code, message, remedy, retryable: false };
}
