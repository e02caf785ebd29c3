// Where a run was created: the sequence of its entry, and within a bundle its place behind the point. Sorts as the log does, and tells
// incarnations of a reused id apart.
const places = 4_096;

export const originIn = (seq: number, place: number): number => seq + (place + 1) / places;

/** The place of a run in the bundle that created it. */
export const placeInOrigin = (origin: number): number => Math.round((origin - Math.floor(origin)) * places) - 1;

/** The sequence of the entry that created a run. */
export const entryOfOrigin = (origin: number): number => Math.floor(origin);
