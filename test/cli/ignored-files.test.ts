import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IgnoredFiles, parseRule } from "../../src/cli/ignored-files.ts";
import { describe, test } from "../support/harness.ts";

describe("IgnoredFiles", () => {
  test("reads the patterns of a .gitignore as git does", () => {
    const matches = (pattern: string, path: string) => parseRule(pattern)[0]?.matches.test(path) ?? false;
    const cases: readonly (readonly [pattern: string, hits: readonly string[], misses: readonly string[]])[] = [
      ["*.log", ["a.log", "x/y/a.log"], ["a.logs", "a.log/b"]],
      ["/made", ["made"], ["x/made"]],
      ["a/b", ["a/b"], ["x/a/b"]],
      ["a/**/b", ["a/b", "a/x/y/b"], ["ab"]],
      ["a/**", ["a/x", "a/x/y"], ["a", "b/a/x"]],
      ["**/tmp", ["tmp", "x/tmp"], ["xtmp"]],
      ["file?.ts", ["file1.ts"], ["file10.ts", "file/.ts"]],
      ["[!a-c].ts", ["d.ts"], ["a.ts"]],
      ["\\#a+(b).ts", ["#a+(b).ts"], ["aab.ts"]],
    ];
    for (const [pattern, hits, misses] of cases) {
      for (const path of hits) assert.ok(matches(pattern, path), `${pattern} matches ${path}`);
      for (const path of misses) assert.ok(!matches(pattern, path), `${pattern} does not match ${path}`);
    }
    assert.deepEqual(["# note", "", "  "].flatMap(parseRule), []);
  });

  test("goes by the files from the repository down, the deeper one last, and not by where the folder lies", async () => {
    const root = await mkdtemp(join(tmpdir(), "natchet-ignored-"));
    const app = join(root, "out", "app");
    try {
      await mkdir(join(root, ".git"), { recursive: true });
      await mkdir(join(app, "kept"), { recursive: true });
      await writeFile(join(root, ".gitignore"), "*.tmp.ts\nbuild/\n");
      await writeFile(join(app, "kept", ".gitignore"), "!mine.tmp.ts\n");
      const ignored = new IgnoredFiles(app);
      const has = (path: string) => ignored.has(join(app, path), false);
      assert.deepEqual(
        ["a.ts", "a.tmp.ts", "kept/mine.tmp.ts", "build/a.ts", "build", "x/dist/a.js", ".git/a.ts"].filter(has),
        ["a.tmp.ts", "build/a.ts", "x/dist/a.js", ".git/a.ts"],
      );
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  });
});
