// Where a run was created: the sequence of its entry, and within a bundle its place behind the point. Sorts as the log does, and tells
// incarnations of a reused id apart.
const places = 4_096;

/** Runs that an entry can hold: one more would have the origin of the next entry. */
export const mostPlaces = places - 1;

export const originIn = (seq: number, place: number): number => seq + (place + 1) / places;

/** The place of a run in the bundle with which it began. */
export const placeInOrigin = (origin: number): number => Math.round((origin - Math.floor(origin)) * places) - 1;

/** The sequence of the entry with which a run began. */
export const entryOfOrigin = (origin: number): number => Math.floor(origin);

/** Where an origin is, or would be, in a table of as many slots as a power of two, of which some are free (0). */
export function slotOfOrigin(origin: number, origins: Float64Array): number {
  const mask = origins.length - 1;
  let slot = Math.imul((origin * places) | 0, 0x9e3779b1) >>> Math.clz32(mask);
  while (origins[slot] !== 0 && origins[slot] !== origin) slot = (slot + 1) & mask;
  return slot;
}
