// Two copies of natchet in one process: two installed versions, or one source that is imported by two paths.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { start, Task, Worker } from "../../src/mod.ts";
import { testServer } from "../../src/testing/mod.ts";
import { root } from "../support/child.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";

let server: Awaited<ReturnType<typeof testServer>>;
let directory: string;
let other: typeof import("../../src/mod.ts");
beforeAll(async () => {
  server = await testServer();
  mkdirSync(join(root, ".natchet"), { recursive: true });
  directory = mkdtempSync(join(root, ".natchet", "copy-")); // where the packages are found
  for (const folder of ["src", "decorators"]) cpSync(join(root, folder), join(directory, folder), { recursive: true });
  other = await import(pathToFileURL(join(directory, "src", "mod.ts")).href);
});
afterAll(async () => {
  await server.stop();
  rmSync(directory, { recursive: true });
});

test("two copies: code of a task finds its run, and has children, whichever copy it uses; errors are known by their names", async () => {
  const options = { url: server.url, namespace: "copies", log: "silent" } as const;
  assert.notEqual(other.connect, (await import("../../src/mod.ts")).connect);
  const client = await other.connect(options);

  @Worker(2)
  class Parent {
    @Task()
    async ask() {
      const { runId } = other.currentRun();
      const child = await client.task("give").enqueue({});
      return { runId, parent: (await child.status()).metadata["natchet.parent"] };
    }
    @Task({ retries: 3 })
    async refuse() {
      throw new other.NonRetryableError("not again", { cause: new Error("closed") });
    }
    @Task()
    async give() {}
  }

  const running = await start(Parent, { ...options, signals: false });
  const run = await client.task("ask").enqueue({}, { id: "a" });
  assert.deepEqual(await run.result(), { runId: "a", parent: "ask/a" });
  const refused = await client.task("refuse").enqueue();
  await assert.rejects(refused.result(), /not again/);
  const { attempts, error } = await refused.status();
  assert.deepEqual([attempts.length, error?.cause?.message], [1, "closed"]);
  await client.close();
  await running.stop();
});
