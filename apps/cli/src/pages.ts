interface Page<T> {
  items: T[];
  next?: string | undefined;
  sequence: number;
  stale?: string | undefined;
}

/** Fetches page after page until there are no more or enough. */
export async function gather<T>(
  fetch: (after: string | undefined) => Promise<Page<T>>,
  most = Infinity,
): Promise<Page<T>> {
  const items: T[] = [];
  let page = await fetch(undefined);
  items.push(...page.items);
  while (page.next !== undefined && items.length < most) {
    page = await fetch(page.next);
    items.push(...page.items);
  }
  return { ...page, items: items.slice(0, most) };
}
