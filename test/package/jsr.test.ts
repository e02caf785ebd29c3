// What JSR would be given: the sources, with public types that it need not infer ("slow types").
import assert from "node:assert/strict";
import { root } from "../support/child.ts";
import { test } from "../support/harness.ts";
import { run } from "./scene.ts";

test("JSR takes the sources", async () => {
  const args = ["publish", "--dry-run", "--allow-dirty", "--no-check"]; // types are checked elsewhere
  const { code, stdout, stderr } = await run("deno", args, { cwd: root });
  assert.equal(code, 0, stdout + stderr);
});
