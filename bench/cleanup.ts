// What must be ended and removed when the benchmark ends, however it ends.
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const pending = new Set<() => Promise<void>>();
let isEnding = false;

/** Undoes something once, when it is first called or at the end of the benchmark; every caller waits until it is undone. */
export function undoLater(undo: () => unknown): () => Promise<void> {
  let undone: Promise<void> | undefined;
  const once = () => {
    undone ??= Promise.resolve(undo()).then(() => void pending.delete(once));
    return undone;
  };
  pending.add(once);
  return once;
}

/** Never resolves once a signal has come: nothing new may begin. */
export function unlessEnding(): Promise<void> {
  return isEnding ? new Promise(() => {}) : Promise.resolve();
}

/** Undoes all that is left, the newest first. */
export async function undoAll(): Promise<void> {
  for (const undo of [...pending].reverse()) await undo();
}

/** Ctrl-C and SIGTERM end the benchmark with nothing left behind. */
export function undoOnSignals(): void {
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    process.once(signal, () => {
      isEnding = true;
      void undoAll().finally(() => process.exit(code));
    });
  }
}

export interface Folder {
  readonly path: string;
  remove(): Promise<void>;
}

export async function temporaryFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), "natchet-bench-"));
  return { path, remove: undoLater(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 })) };
}
