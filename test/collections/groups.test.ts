import assert from "node:assert/strict";
import { groupsBySize } from "../../src/collections/groups.ts";
import { test } from "../support/harness.ts";

test("groupsBySize keeps the order, fills each group as far as it goes, and lets alone what is larger", () => {
  const groups = groupsBySize([3, 4, 4, 12, 1, 2], 8, (size) => size);
  assert.deepEqual(groups, [[3, 4], [4], [12], [1, 2]]);
  assert.deepEqual(
    groupsBySize([], 8, () => 1),
    [],
  );
});
