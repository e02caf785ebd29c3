// Random numbers of the code of a lap: the same ones on each replay.
import { hashOfText } from "../../domain/text-hash.ts";

/** mulberry32, from 0 to below 1. */
export function randomOf(lap: string): () => number {
  let seed = hashOfText(lap);
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
