import type { Manifest, Volume } from '../port/manifest.ts';

/**
 * Which of the condemned backups a manifest that stays needs objects of, and whose manifest that is. One that has to
 * stay for others keeps its manifest, so what it needs stays, too. Manifests in clear say it: neither keys nor maps are
 * read. What one of them needs, it needs whole: whoever is not sure keeps.
 */
export function stillNeeded(
  manifests: readonly Manifest[],
  condemned: ReadonlySet<string>,
): ReadonlyMap<string, readonly string[]> {
  const needed = new Map<string, string[]>();
  const byBackup = new Map(manifests.map((manifest) => [manifest.backup, manifest]));
  const staying = manifests.filter(({ backup }) => !condemned.has(backup));
  for (const manifest of staying)
    for (const owner of ownersOf(manifest)) {
      if (!condemned.has(owner)) continue;
      const [by, kept] = [needed.get(owner), byBackup.get(owner)];
      needed.set(owner, [...(by ?? []), manifest.backup]);
      // The loop comes to it as well.
      if (by === undefined && kept !== undefined) staying.push(kept);
    }
  return needed;
}

/** Backups whose objects a manifest refers to, by its closure and by its volumes. */
function ownersOf({ backup, backups, volumes }: Manifest): ReadonlySet<string> {
  const owners = new Set([...backups, ...volumes.filter(isUsed).map((volume) => volume.backup)]);
  owners.delete(backup);
  return owners;
}

function isUsed({ needs }: Volume): boolean {
  return needs.packs.length > 0 || needs.maps.length > 0 || needs.tree.length > 0;
}
