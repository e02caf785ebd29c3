// What must be ended and removed when the benchmark ends, however it ends.
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const pending = new Set<() => unknown>();

/** Undoes something once: when it is called, or at the end of the benchmark. */
export function undoLater(undo: () => unknown): () => Promise<void> {
  const once = async () => {
    if (pending.delete(once)) await undo();
  };
  pending.add(once);
  return once;
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
    process.once(signal, () => void undoAll().finally(() => process.exit(code)));
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
