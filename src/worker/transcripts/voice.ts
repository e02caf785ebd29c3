// A voice: what is behind `ctx.log`, `ctx.progress` and `ctx.stream`.

import type { TaskLog } from "../../domain/context.ts";
import type { OutcomeKind } from "../../domain/run.ts";
import { chunkUtterance, type Utterance } from "../../wire/transcript-entry.ts";

export interface Voice extends TaskLog {
  /** `fraction` is checked already. */
  progress(fraction: number, note: string | undefined): void;
  /** Throws a TypeError for anything that is not a chunk. A rejection that nobody awaits is not reported as unhandled. */
  stream(chunk: unknown): Promise<void>;
  /** Later output is not stored. Resolves when everything is stored, or will not be; undefined if there is nothing to wait for. */
  end(outcome: OutcomeKind): Promise<void> | undefined;
}

/** A chunk as it is stored. Throws a TypeError for anything but a string, bytes or a JSON value. */
export function chunkOf(at: number, chunk: unknown): Utterance {
  if (chunk instanceof ArrayBuffer) return chunkUtterance(at, new Uint8Array(chunk));
  if (ArrayBuffer.isView(chunk))
    return chunkUtterance(at, new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
  try {
    const utterance = chunkUtterance(at, chunk);
    if (typeof chunk === "string" || utterance.body.length > 0) return utterance;
  } catch {
    // A cycle, or a number that JSON cannot represent.
  }
  const what = typeof chunk === "object" ? "this object" : String(chunk);
  throw new TypeError(`ctx.stream: ${what} is not a string, bytes or a JSON value, for example ctx.stream("token")`);
}

/** A rejected promise that is not reported as unhandled if nobody awaits it. */
export function quietRejection(error: Error): Promise<never> {
  const rejected = Promise.reject(error);
  rejected.catch(() => {});
  return rejected;
}
