const NONE: readonly string[] = [];

/** Sets of texts by key. Most have one member, which is kept without a set around it: there may be a million. */
export class SetsByKey {
  readonly #sets = new Map<string, string | Set<string>>();

  add(key: string, member: string): void {
    const known = this.#sets.get(key);
    if (known === undefined) this.#sets.set(key, member);
    else if (typeof known !== 'string') known.add(member);
    else if (known !== member) this.#sets.set(key, new Set([known, member]));
  }

  delete(key: string, member: string): void {
    const known = this.#sets.get(key);
    if (known === member) this.#sets.delete(key);
    else if (known instanceof Set) {
      known.delete(member);
      if (known.size === 0) this.#sets.delete(key);
    }
  }

  of(key: string): Iterable<string> {
    const known = this.#sets.get(key);
    if (known === undefined) return NONE;
    return typeof known === 'string' ? [known] : known;
  }
}
