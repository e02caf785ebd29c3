import assert from "node:assert/strict";
import { errorDetails, escapeControls, foldStack, headlineOf } from "../../src/domain/stack.ts";
import { describe, test } from "../support/harness.ts";

const inNatchet = new URL("../../src/worker/attempt.ts", import.meta.url);
const stack = `TypeError: no name
    at greet (/app/lib/greet.ts:2:35)
    at Proxy.<anonymous> (file:///app/worker.ts:12:5)
    at LiveAttempt.execute (${inNatchet.pathname}:20:1)
    at LiveAttempt.execute (${inNatchet.href}:20:1)
    at run (/elsewhere/node_modules/natchet/dist/src/worker/attempt.js:9:1)
    at run (/elsewhere/node_modules/effect/dist/Effect.js:9:1)
    at parse (/app/node_modules/zod/v4/core.js:1:1)
    at Array.map (<anonymous>)
    at processTicksAndRejections (native:7:39)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)`;

describe("foldStack", () => {
  test("keeps the lines of the user and of what he uses, and counts the others in one", () => {
    assert.deepEqual(foldStack(stack), [
      "    at greet (/app/lib/greet.ts:2:35)",
      "    at Proxy.<anonymous> (file:///app/worker.ts:12:5)",
      "    at parse (/app/node_modules/zod/v4/core.js:1:1)",
      "    … 7 lines of natchet",
    ]);
  });

  test("knows the lines of this repository's examples and tests as the user's", () => {
    const [first] = foldStack(new Error("here").stack);
    assert.match(first!, /test\/domain\/stack\.test\.ts/);
  });

  test("shows nothing where no line is the user's, and of what has no stack", () => {
    assert.deepEqual(foldStack(`Error: x\n    at a (${inNatchet.pathname}:1:1)`), []);
    assert.deepEqual(foldStack(undefined), []);
    assert.deepEqual(foldStack("thrown"), []);
  });
});

test("errorDetails tells causes and the errors inside, each with its lines", () => {
  const line = "    at a (/app/a.ts:1:1)";
  const record = {
    name: "AggregateError",
    message: "all failed",
    stack: `AggregateError: all failed\n${line}`,
    errors: [{ name: "Error", message: "first" }],
    cause: { name: "TypeError", message: "why", stack: `TypeError: why\n${line}` },
  };
  assert.equal(headlineOf(record), "AggregateError: all failed");
  assert.deepEqual(errorDetails(record), [line, "    with first", "    caused by TypeError: why", `    ${line}`]);
});

test("escapeControls keeps a terminal from obeying, and a line break from beginning a line", () => {
  assert.equal(escapeControls("a\x1b[31mb\rc\nd\te"), "a\\x1b[31mb\\rc\n    d\te");
});
