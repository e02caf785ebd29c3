/**
 * FNV-1a of a text, with its high bits mixed into the low ones that choose a slot: 32 bits, signed. With a `seed` of its own a table does not
 * get slow by texts that somebody chose for that.
 */
export function hashOf(text: string, seed = 0): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash ^ (hash >>> 15);
}
