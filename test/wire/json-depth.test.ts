import assert from "node:assert/strict";
import { jsonBytes } from "../../src/wire/bytes.ts";
import { isDeeperThan } from "../../src/wire/json-depth.ts";
import { test } from "../support/harness.ts";

test("isDeeperThan: counts what stands in one another, and nothing in texts", () => {
  const depthOf = (value: unknown) => {
    let depth = 0;
    while (isDeeperThan(depth, jsonBytes(value))) depth++;
    return depth;
  };
  assert.equal(depthOf(1), 0);
  assert.equal(depthOf([]), 1);
  assert.equal(depthOf([[1], { a: [2] }, [[]]]), 3);
  assert.equal(depthOf({ "[[[": '{{"[[', b: "\\", c: ["]"] }), 2);
  assert.ok(isDeeperThan(100, new TextEncoder().encode("[".repeat(200_000))));
});
