import assert from "node:assert/strict";
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { modulesOf } from "../../src/cli/module-graph.ts";
import { describe, test } from "../support/harness.ts";

describe("modulesOf", () => {
  test("finds what is imported, siblings of a workspace and data included, without packages", async () => {
    const root = await realpath(await mkdtemp(join(tmpdir(), "natchet-graph-")));
    const write = async (path: string, text: string) => {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    };
    try {
      await write("app/package.json", '{ "name": "app", "dependencies": { "sibling": "*", "far": "*" } }');
      await write(
        "app/worker.ts",
        `import names from "./names.json" with { type: "json" };
import { a } from "../lib/a.ts"; import { s } from "sibling"; import "far"; import type { T } from "./types.ts";
export const all = [names, a, s, () => import("./later.ts")] as T;`,
      );
      await write("app/names.json", "[]");
      await write("app/types.ts", "export type T = any;");
      await write("app/later.ts", "export {};");
      await write("lib/a.ts", 'export { b as a } from "./b.ts";');
      await write("lib/b.ts", "export const b = 1;");
      await write(
        "sibling/package.json",
        '{ "name": "sibling", "version": "1.0.0", "type": "module", "exports": "./index.js" }',
      );
      await write("sibling/index.js", "export const s = 1;");
      await write(
        "app/node_modules/far/package.json",
        '{ "name": "far", "version": "1.0.0", "type": "module", "exports": "./f.js" }',
      );
      await write("app/node_modules/far/f.js", "export {};");
      await symlink(join(root, "sibling"), join(root, "app", "node_modules", "sibling"));
      const found = await modulesOf([join(root, "app", "worker.ts")], ["--node-modules-dir=manual"]);
      const wanted = ["app/later.ts", "app/names.json", "app/worker.ts", "lib/a.ts", "lib/b.ts", "sibling/index.js"];
      const paths = [...found].map((file) => relative(root, file)).sort();
      assert.deepEqual(
        paths.filter((path) => path !== "app/types.ts"), // Deno names modules of types as well
        wanted,
      );
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  });
});
