import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findHomeDirectory } from "../../src/facade/home-directory.ts";
import { connect, ServerNotRunning } from "../../src/mod.ts";
import { describe, test } from "../support/harness.ts";

/** Makes a tree of files (a name that ends with `/` is a folder) and tells where the home is for a process in `from`. */
function inTree(files: Readonly<Record<string, string>>, from: string): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "natchet-tree-")));
  try {
    mkdirSync(join(root, from), { recursive: true });
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(path.endsWith("/") ? join(root, path) : dirname(join(root, path)), { recursive: true });
      if (!path.endsWith("/")) writeFileSync(join(root, path), text);
    }
    return findHomeDirectory(join(root, from)).slice(root.length + 1);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const workspaces = '{ "workspaces": ["packages/*"] }';

describe("findHomeDirectory", () => {
  test("is the same for all packages of a workspace", () => {
    const files = { "package.json": workspaces, "packages/api/package.json": "{}", "packages/jobs/package.json": "{}" };
    assert.equal(inTree(files, "packages/api"), ".natchet");
    assert.equal(inTree(files, "packages/jobs/src"), ".natchet");
    assert.equal(inTree({ "deno.jsonc": '{ /* two */ "workspace": [] }', "a/deno.json": "{}" }, "a"), ".natchet");
    assert.equal(inTree({ "pnpm-workspace.yaml": "", "a/package.json": "{}" }, "a"), ".natchet");
  });

  test("is the one that is there, up to the root of the repository", () => {
    const files = { ".git": "gitdir: x", ".natchet/": "", "a/package.json": "{}" };
    assert.equal(inTree(files, "a/src"), ".natchet");
    assert.equal(inTree({ ...files, "a/.natchet/": "" }, "a/src"), "a/.natchet");
  });

  test("is beside the manifest of the package, or here, and not that of a stranger above", () => {
    assert.equal(inTree({ "a/package.json": "{}" }, "a/src/deep"), "a/.natchet");
    assert.equal(inTree({}, "somewhere"), "somewhere/.natchet");
    assert.equal(inTree({ ".natchet/": "", "a/package.json": "{}" }, "a"), "a/.natchet");
  });
});

test("connect: with startServer false nothing is started, and no directory is left behind", async () => {
  const directory = join(mkdtempSync(join(tmpdir(), "natchet-nobody-")), ".natchet");
  const startedAt = performance.now();
  await assert.rejects(connect({ directory, startServer: false }), (error: Error) => {
    assert.ok(error instanceof ServerNotRunning);
    assert.ok(error.message.includes(directory), error.message);
    return true;
  });
  assert.ok(performance.now() - startedAt < 10_000);
  assert.throws(() => realpathSync(directory), /ENOENT/);
});
