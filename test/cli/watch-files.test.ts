import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, realpath, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { watchFiles } from "../../src/cli/watch-files.ts";
import { describe, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

async function open() {
  const above = await realpath(await mkdtemp(join(tmpdir(), "natchet-watch-")));
  const folder = join(above, "app");
  const write = async (path: string, text = "1") => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  };
  for (const path of ["workers/a.ts", "workers/deep/b.ts", "node_modules/x/x.ts", "dist/a.js", "made/code.ts"])
    await write(path);
  await write(".gitignore", "/made/\n*.gen.ts\n!kept.gen.ts\n");
  const changes: string[] = [];
  const watching = watchFiles(folder, (path) => changes.push(path), { quietMs: 50 });
  return {
    folder,
    above,
    write,
    watching,
    changes,
    /** Waits until a change is told; the changes so far are forgotten. */
    async told(path: string) {
      await waitFor(
        () => changes.includes(path),
        10_000,
        () => `${path} in [${changes.join()}]`,
      );
      changes.length = 0;
    },
    /** Waits until changes were told and no more come: what is copied comes file by file. */
    async settled() {
      await waitFor(() => changes.length > 0, 10_000, "a change");
      for (let seen = 0; seen < changes.length; ) {
        seen = changes.length;
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
      changes.length = 0;
    },
    async [Symbol.asyncDispose]() {
      watching.close();
      await rm(above, { recursive: true, force: true });
    },
  };
}

describe("watchFiles", () => {
  test("tells once about several changes of source files, and nothing about what programs make", async () => {
    await using scene = await open();
    for (const path of [
      "node_modules/x/x.ts",
      "notes.txt",
      "out/report.json",
      "data.json",
      "dist/b.js",
      "made/code.ts",
    ])
      await scene.write(path, "2");
    await scene.write("workers/x.gen.ts");
    await scene.write("workers/a.ts", "2");
    await scene.write("workers/deep/b.ts", "2");
    await waitFor(() => scene.changes.length > 0, 10_000, "the first change");
    assert.deepEqual(scene.changes, [join("workers", "deep", "b.ts")]);
    scene.changes.length = 0;
    for (const path of ["worker.ts", "package.json", "workers/kept.gen.ts"]) {
      await scene.write(path);
      await scene.told(path);
    }
  });

  test("tells of new folders, and goes on with one that was replaced, moved in or cleared", async () => {
    await using scene = await open();
    const { folder, above, write, told } = scene;
    await write("more/deeper/c.ts");
    await scene.settled();
    await write("more/deeper/c.ts", "2");
    await told("more/deeper/c.ts");
    await cp(join(folder, "workers"), join(above, "backup"), { recursive: true });
    await rm(join(folder, "workers"), { recursive: true });
    await cp(join(above, "backup"), join(folder, "workers"), { recursive: true });
    await scene.settled();
    await rename(join(folder, "more"), join(above, "old"));
    await rename(join(above, "backup"), join(folder, "more"));
    await scene.settled();
    for (const path of ["workers/a.ts", "workers/deep/b.ts", "more/deep/b.ts"]) {
      await write(path, "3");
      await told(path);
    }
  });

  test("tells of imported modules, wherever they lie", async () => {
    await using scene = await open();
    await scene.write("../sibling/lib.ts");
    await scene.write("../sibling/other.ts");
    await scene.write("names.json");
    scene.watching.setModules([join(scene.above, "sibling", "lib.ts"), join(scene.folder, "names.json")]);
    await scene.write("../sibling/other.ts", "2");
    await scene.write("../sibling/lib.ts", "2");
    await scene.told("../sibling/lib.ts");
    await scene.write("names.json", "2");
    await scene.told("names.json");
  });
});
