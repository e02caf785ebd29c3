import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { watchFiles } from "../../src/cli/watch-files.ts";
import { describe, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

describe("watchFiles", () => {
  test("tells once about several changes of source files, and nothing about other files", async () => {
    const folder = await mkdtemp(join(tmpdir(), "natchet-watch-"));
    await mkdir(join(folder, "workers"));
    await mkdir(join(folder, "node_modules"));
    const changes: string[] = [];
    const watching = watchFiles(folder, (path) => changes.push(path), 50);
    try {
      await writeFile(join(folder, "node_modules", "a.ts"), "1");
      await writeFile(join(folder, "notes.txt"), "1");
      await writeFile(join(folder, "workers", "a.ts"), "1");
      await writeFile(join(folder, "workers", "b.ts"), "1");
      await waitFor(() => changes.length > 0, 5_000, "the first change");
      assert.deepEqual(changes, [join("workers", "b.ts")]);
      await writeFile(join(folder, "worker.ts"), "1");
      await waitFor(() => changes.length > 1, 5_000, "the second change");
      assert.deepEqual(changes.slice(1), ["worker.ts"]);
    } finally {
      watching.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
