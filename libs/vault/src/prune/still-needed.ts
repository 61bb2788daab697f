import type { Manifest, Volume } from '../port/manifest.ts';

/**
 * Which of the condemned backups a manifest that stays needs objects of, and whose manifest that is. Manifests in clear
 * say it: neither keys nor maps are read. What one of them needs, it needs whole: whoever is not sure keeps.
 */
export function stillNeeded(
  staying: readonly Manifest[],
  condemned: ReadonlySet<string>,
): ReadonlyMap<string, readonly string[]> {
  const needed = new Map<string, string[]>();
  for (const manifest of staying)
    for (const owner of ownersOf(manifest))
      if (condemned.has(owner)) needed.set(owner, [...(needed.get(owner) ?? []), manifest.backup]);
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
