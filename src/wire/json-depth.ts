// How deep JSON from others may be nested: what a parser can still read may be too deep to be serialized again.
import { jsonOf } from "./bytes.ts";

const [quote, backslash, openList, closeList, openObject, closeObject] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d];

const deepest = 64;

/** Whether JSON is shallow enough to be serialized again. */
export const isShallow = (json: Uint8Array): boolean => !isDeeperThan(deepest, json);

/** Parses JSON that anybody may have written. Undefined if it is not JSON, or too deep. */
export function shallowJsonOf(bytes: Uint8Array): unknown {
  try {
    return isShallow(bytes) ? jsonOf(bytes) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether arrays and objects of a JSON text are nested more than `most` levels deep. */
export function isDeeperThan(most: number, json: Uint8Array): boolean {
  let depth = 0;
  let inText = false;
  for (let i = 0; i < json.length; i++) {
    const byte = json[i];
    if (inText) {
      if (byte === backslash) i++;
      else if (byte === quote) inText = false;
    } else if (byte === quote) inText = true;
    else if (byte === openList || byte === openObject) {
      if (++depth > most) return true;
    } else if (byte === closeList || byte === closeObject) depth--;
  }
  return false;
}
