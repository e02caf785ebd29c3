// A cursor: where the next page of a list begins. It names a place in the log, so that every engine understands it.

/** The sort key of a list. */
export interface PlaceInList {
  /** Units: epoch milliseconds */
  readonly createdAt: number;
  readonly origin?: number;
}

export const isNewer = (a: PlaceInList, b: PlaceInList): boolean =>
  a.createdAt > b.createdAt || (a.createdAt === b.createdAt && (a.origin ?? 0) > (b.origin ?? 0));

export const cursorOf = ({ createdAt, origin = 0 }: PlaceInList): string => `${createdAt}_${origin}`;

/** Fails: TypeError */
export function placeAtCursor(cursor: string): Required<PlaceInList> {
  const [createdAt, origin, ...more] = cursor.split("_").map((part) => (part === "" ? Number.NaN : Number(part)));
  if (!Number.isFinite(createdAt) || !Number.isFinite(origin) || more.length > 0)
    throw new TypeError(`${JSON.stringify(cursor)} is not a cursor; pass the one returned with the previous page`);
  return { createdAt: createdAt!, origin: origin! };
}
