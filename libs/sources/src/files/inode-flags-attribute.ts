/**
 * How a backup keeps what `chattr +i` and `+a` set: as an attribute of a reserved name, which no file system can have
 * (see docs/vault-format.md). A restore turns it back into flags.
 */
import type { Entry } from '@catena/vault';
import type { ExtendedAttribute, InodeFlags } from '../system-calls/index.ts';

type Attribute = NonNullable<Entry['xattrs']>[number];

const attributeName = Buffer.from('catena.flags');

/** The attribute for flags; undefined for none. Its name sorts before those of the system. */
export function attributeOfFlags({ immutable, appendOnly }: InodeFlags): ExtendedAttribute | undefined {
  const letters = `${immutable ? 'i' : ''}${appendOnly ? 'a' : ''}`;
  return letters === '' ? undefined : [attributeName, Buffer.from(letters)];
}

function isFlags([name]: Attribute): boolean {
  return attributeName.equals(name);
}

/** The flags an entry was backed up with; undefined for none. */
export function flagsOf(entry: Pick<Entry, 'xattrs'>): InodeFlags | undefined {
  const value = entry.xattrs?.find(isFlags)?.[1];
  if (value === undefined) return undefined;
  const letters = Buffer.from(value).toString();
  return { immutable: letters.includes('i'), appendOnly: letters.includes('a') };
}

/** The attributes that a file system is given. */
export function attributesForFileSystem(entry: Pick<Entry, 'xattrs'>): readonly Attribute[] {
  const attributes = entry.xattrs ?? [];
  return attributes.some(isFlags) ? attributes.filter((attribute) => !isFlags(attribute)) : attributes;
}
