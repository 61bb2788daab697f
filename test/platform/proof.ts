/** What must be true of a whole platform whenever nothing is under way, whatever happened before. */
import { verifyLog } from '@catena/event-log';
import type { AnyRecordedEvent } from '@catena/events';
import { openRuns, violations } from './invariants.ts';
import type { Operator } from './operator.ts';
import type { ProtectedTree } from './protected-tree.ts';

/**
 * Everything that is wrong: with the log (holes, hashes, rules over all of it), with the repositories (what is not in
 * the log and what is missing, damage, backups that differ from the files as they were), with the catalog's answers.
 * Nothing when all is well.
 */
export async function flawsOf(operator: Operator, trees: readonly ProtectedTree[]): Promise<string[]> {
  const verified = await verifyLog(operator.client.log);
  const events = await operator.events();
  const flaws = [
    ...verified.problems.map(({ sequence, error }) => `event ${sequence} of the log: ${error.message}`),
    ...violations(events),
    ...openRuns(events).map((run) => `${run} has not ended`),
  ];
  for (const tree of trees) {
    flaws.push(...(await contradictions(tree, events)), ...(await tree.flaws()));
    flaws.push(...(await unlisted(operator, tree, events)));
  }
  return flaws;
}

/** Restores the newest remembered backup of a tree through a mover; everything in which it differs, or why it failed. */
export async function flawsOfRestore(operator: Operator, tree: ProtectedTree): Promise<string[]> {
  const backup = tree.remembered.at(-1);
  if (backup === undefined) return [`${tree.name} has no backup to restore`];
  const target = tree.freshTarget();
  const outcome = await operator.restore(tree.repository, backup, target);
  if (outcome.state !== 'completed') return [`the restore of ${backup} ended ${outcome.state}`];
  return tree.differences(backup, target);
}

/** A backup is what has a manifest; the log knows each with its hash, and no others. */
async function contradictions(tree: ProtectedTree, events: readonly AnyRecordedEvent[]): Promise<string[]> {
  const flaws: string[] = [];
  const known = new Map(completed(tree, events).map((event) => [event.data.backup, event.data.manifest]));
  for (const found of await tree.found()) {
    if (!('manifest' in found)) {
      flaws.push(`${tree.name}: the manifest ${found.name} cannot be read: ${found.error.message}`);
      continue;
    }
    const { backupId, name, hash } = found.ref;
    const recorded = known.get(backupId);
    known.delete(backupId);
    if (recorded === undefined) flaws.push(`${tree.name}: ${name} passes for a backup and is not in the log`);
    else if (recorded.hash !== hash || recorded.name !== name)
      flaws.push(`${tree.name}: ${name} is not the manifest that the log knows`);
  }
  for (const backup of known.keys())
    flaws.push(`${tree.name}: the log has ${backup}, the repository has not`);
  return flaws;
}

/** The catalog lists what the log has. */
async function unlisted(
  operator: Operator,
  tree: ProtectedTree,
  events: readonly AnyRecordedEvent[],
): Promise<string[]> {
  const listed = (await operator.backups(tree.name)).map(({ backup, state }) => `${backup} ${state}`).sort();
  const wanted = completed(tree, events)
    .map(({ data }) => `${data.backup} usable`)
    .sort();
  return listed.join() === wanted.join()
    ? []
    : [`${tree.name}: the catalog lists [${listed.join()}], the log has [${wanted.join()}]`];
}

function completed(tree: ProtectedTree, events: readonly AnyRecordedEvent[]) {
  return events.filter(
    (event): event is Extract<AnyRecordedEvent, { type: 'backup.completed' }> =>
      event.type === 'backup.completed' && event.data.source === tree.name,
  );
}
