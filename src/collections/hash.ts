/**
 * FNV-1a of a text, with its high bits mixed into the low ones that choose a slot: 32 bits, signed. With a `seed` of its own a table does not
 * get slow by texts that somebody chose for that.
 */
export function hashOf(text: string, seed = 0): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash ^ (hash >>> 15);
}

/** Hashes keys for several tables that are asked for the same key in a row: the last key is hashed only once. */
export class KeyHash {
  readonly #seed: number;
  #key = "";
  #hash: number;

  constructor(seed = 0) {
    this.#seed = seed;
    this.#hash = hashOf("", seed);
  }

  of(key: string): number {
    if (key === this.#key) return this.#hash;
    this.#key = key;
    this.#hash = hashOf(key, this.#seed);
    return this.#hash;
  }
}
