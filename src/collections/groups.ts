/** Items in their order, in groups of at most `most` by the sum of their sizes; an item that is larger goes alone. */
export function groupsBySize<T>(items: Iterable<T>, most: number, sizeOf: (item: T) => number): T[][] {
  const groups: T[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const item of items) {
    const own = sizeOf(item);
    if (size + own > most) {
      groups.push([]);
      size = 0;
    }
    groups.at(-1)!.push(item);
    size += own;
  }
  return groups;
}
