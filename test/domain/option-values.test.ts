import assert from "node:assert/strict";
import { assertOneOf, assertWhole, numberOf } from "../../src/domain/option-values.ts";
import { test } from "../support/harness.ts";

test("assertWhole shows where, the rule, what was given and an example", () => {
  const rule = { from: 1, to: 9, example: "{ priority: 3 }" };
  const refused = (value: unknown) => assert.throws(() => assertWhole(value, "priority", rule), RangeError);
  assert.equal(assertWhole(9, "priority", rule), 9);
  for (const value of [0, 10, 1.5, Number.NaN, "5", null]) refused(value);
  assert.throws(
    () => assertWhole("5", "priority", rule),
    /^RangeError: priority must be a whole number from 1 to 9, not "5"; for example \{ priority: 3 \}$/,
  );
});

test("assertOneOf names all there are", () => {
  assert.throws(() => assertOneOf("hot", "engine", ["auto", "off"]), /engine must be one of auto, off, not "hot"$/);
});

test("numberOf leaves what is no number for whoever refuses it", () => {
  assert.deepEqual(["8080", " ", "http", 5].map(numberOf), [8080, " ", "http", 5]);
});
