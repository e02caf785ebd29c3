import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { transitions } from "../../src/domain/run.ts";
import { test } from "../support/harness.ts";

test("docs/internals/lifecycle.md draws exactly the transitions of domain/run.ts", () => {
  const page = readFileSync(join(import.meta.dirname!, "..", "..", "docs", "internals", "lifecycle.md"), "utf8");
  const drawn = new Set(Array.from(page.matchAll(/^ {2}(\w+) --> (\w+)/gm), ([, from, to]) => `${from} → ${to}`));
  const known = new Set(Object.entries(transitions).flatMap(([from, states]) => states.map((to) => `${from} → ${to}`)));
  assert.deepEqual([...drawn].sort(), [...known].sort());
});
