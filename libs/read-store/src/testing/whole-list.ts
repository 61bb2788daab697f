/** Reads a list page by page to its end. */
export async function wholeList<Item>(
  ask: (page: { after?: string; limit: number }) => Promise<{ items: Item[]; next?: string | undefined }>,
  limit = 1_000,
): Promise<Item[]> {
  const all: Item[] = [];
  let page = await ask({ limit });
  all.push(...page.items);
  while (page.next !== undefined) {
    page = await ask({ after: page.next, limit });
    all.push(...page.items);
  }
  return all;
}
