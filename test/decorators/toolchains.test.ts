// Starts the decorator tests in the other mode, and the cases that need a bundler or a second copy. Runs on Bun only, since it
// starts every runtime itself.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describeClass, scan, Task, Worker } from "../../decorators/mod.ts";
import { runTool } from "../support/command.ts";
import { describe, test } from "../support/harness.ts";

const shared = ["behaviour", "refusals", "durable"].map((name) => `./test/decorators/${name}.test.ts`);
const legacy = { NATCHET_EXPECTED_DECORATORS: "legacy" };
const override = "--tsconfig-override=tsconfig.legacy.json";

async function inTemporaryFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "natchet-decorators-"));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe("legacy decorators", () => {
  test("behave the same on Bun", async () => {
    const { code, output } = await runTool("bun", ["test", override, ...shared], legacy);
    assert.equal(code, 0, output);
    assert.match(output, /^\s*[1-9]\d* pass$/m);
    assert.match(output, /^\s*0 fail$/m);
  });

  test("behave the same on Deno", async () => {
    const config = ["--config", "test/decorators/deno.legacy.json"];
    const { code, output } = await runTool("deno", ["test", "-A", "--no-check", ...config, ...shared], legacy);
    assert.equal(code, 0, output);
    assert.match(output, /ok \| [1-9]\d* passed .*\| 0 failed/);
  });

  test("keep the names of tasks when the bundle is minified", async () => {
    await inTemporaryFolder(async (folder) => {
      const bundle = join(folder, "names.js");
      const entry = "./test/decorators/fixtures/names.ts";
      const built = await runTool("bun", ["build", "--minify", "--target=bun", override, entry, `--outfile=${bundle}`]);
      assert.equal(built.code, 0, built.output);
      const { code, output } = await runTool("bun", ["run", bundle]);
      assert.equal(code, 0, output);
      assert.equal(output.trim(), "mail 2 sendWelcomeEmail named-by-hand");
    });
  });

  test("inherit from a class with standard decorators", async () => {
    const { code, output } = await runTool("bun", ["run", override, "./test/decorators/fixtures/mixed-modes.ts"]);
    assert.equal(code, 0, output);
    assert.equal(output.trim(), "from-standard from-legacy");
  });
});

describe("two copies of natchet", () => {
  test("read each other's classes", async () => {
    await inTemporaryFolder(async (folder) => {
      const file = join(folder, "copy.js");
      const built = await runTool("bun", ["build", "--target=bun", "./decorators/mod.ts", `--outfile=${file}`]);
      assert.equal(built.code, 0, built.output);
      const copy: typeof import("../../decorators/mod.ts") = await import(pathToFileURL(file).href);
      assert.notEqual(copy.scan, scan);

      @Worker(3)
      class Ours {
        @Task("ours") a() {}
      }
      @copy.Worker(4)
      class Theirs {
        @copy.Task("theirs") a() {}
      }
      assert.deepEqual([copy.scan(Ours).slots, copy.scan(Ours).tasks[0]!.name], [3, "ours"]);
      assert.deepEqual([scan(Theirs).slots, [...describeClass(Theirs).tasks.values()][0]!.name], [4, "theirs"]);
    });
  });
});
