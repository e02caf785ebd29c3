import assert from "node:assert/strict";
import {
  errorRecordOf,
  InvalidData,
  NonRetryableError,
  PayloadTooLarge,
  RunCancelled,
  RunFailed,
  RunNotFound,
} from "../../src/domain/errors.ts";
import type { AttemptRecord } from "../../src/domain/run.ts";
import { test } from "../support/harness.ts";

const attempt: AttemptRecord = { attempt: 1, turn: 1, worker: "w", startedAt: 1, endedAt: 2, outcome: "retry" };

test("messages are sentences that name the thing", () => {
  const error = { name: "SmtpError", message: "refused" };
  const one = new RunFailed({ key: "send/1", error, attempts: [attempt] });
  assert.equal(one.message, "run send/1 failed: SmtpError: refused");
  assert.equal(
    new RunFailed({ key: "send/1", error, attempts: [attempt, attempt] }).message,
    "run send/1 failed after 2 attempts: SmtpError: refused",
  );
  assert.equal(new RunCancelled({ key: "send/1", reason: "by hand" }).message, "run send/1 was cancelled: by hand");
  assert.match(new RunNotFound({ key: "send/1" }).message, /send\/1 is not known/);
  const large = new PayloadTooLarge({ what: "the input", bytes: 2_000_000, limit: 1_048_576 }).message;
  assert.match(large, /2000000 bytes.*1048576/);
  const issues = [
    { path: "to", message: "expected string" },
    { path: "", message: "no" },
  ];
  assert.equal(
    new InvalidData({ what: "input", task: "send", issues }).message,
    'invalid input of task "send": to: expected string; (root): no',
  );
});

test("errors are told apart by their tag and are Errors", () => {
  const error = new RunNotFound({ key: "send/1" });
  assert.ok(error instanceof Error);
  assert.equal(error._tag, "RunNotFound");
  assert.equal(new NonRetryableError("no").name, "NonRetryableError");
});

test("errorRecordOf: whatever is thrown can be stored", () => {
  assert.equal(errorRecordOf(new TypeError("bad")).name, "TypeError");
  assert.match(errorRecordOf(new TypeError("bad")).stack!, /bad/);
  assert.deepEqual(errorRecordOf("text"), { name: "Error", message: "text" });
  assert.deepEqual(errorRecordOf({ code: 5 }), { name: "Error", message: 'thrown value: {"code":5}' });
  assert.deepEqual(errorRecordOf(undefined), { name: "Error", message: "thrown value: undefined" });
  assert.deepEqual(errorRecordOf(5n), { name: "Error", message: "thrown value: 5" });
});
