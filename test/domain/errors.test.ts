import assert from "node:assert/strict";
import {
  InvalidData,
  NonRetryableError,
  PayloadTooLarge,
  RunCancelled,
  RunFailed,
  RunNotFound,
} from "../../src/domain/errors.ts";
import type { AttemptRecord } from "../../src/domain/run.ts";
import { errorRecordOf, toText } from "../../src/domain/thrown.ts";
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

test("errorRecordOf: a value that cannot be looked into is told all the same", () => {
  const circle = Object.create(null);
  circle.self = circle;
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const closed = new Error("closed");
  for (const name of ["name", "message", "stack", "cause", "errors"])
    Object.defineProperty(closed, name, {
      get() {
        throw proxy;
      },
    });
  const writesItself = {
    toJSON: () => {
      throw circle;
    },
    toString: () => {
      throw circle;
    },
  };
  for (const value of [
    circle,
    proxy,
    writesItself,
    Symbol("s"),
    () => 1,
    Object.assign(new Error(), { message: circle }),
  ]) {
    const record = errorRecordOf(value);
    assert.deepEqual([typeof record.name, typeof record.message], ["string", "string"]);
    assert.ok(JSON.stringify(record).length > 0 && toText(value).length > 0);
  }
  assert.deepEqual(errorRecordOf(closed), { name: "Error", message: "an error whose message cannot be read" });
});

test("errorRecordOf: causes and the errors of an AggregateError are kept, in bounds", () => {
  const root = new TypeError("no route");
  const { cause } = errorRecordOf(new Error("not sent", { cause: root }));
  assert.deepEqual([cause!.name, cause!.message], ["TypeError", "no route"]);
  const all = errorRecordOf(new AggregateError([root, "text"], "both failed"));
  assert.deepEqual(
    all.errors!.map(({ message }) => message),
    ["no route", "text"],
  );
  const circle = new Error("circle");
  circle.cause = circle;
  assert.equal(errorRecordOf(circle).cause, undefined);
  let deep = new Error("0");
  for (let i = 1; i < 50; i++) deep = new Error(String(i), { cause: deep });
  let levels = 0;
  for (let at: { cause?: unknown } | undefined = errorRecordOf(deep); at; at = at.cause as never) levels += 1;
  assert.equal(levels, 5);
  const wide = new AggregateError(Array.from({ length: 100 }, (_, i) => new AggregateError([new Error(`${i}`)])));
  assert.ok(JSON.stringify(errorRecordOf(wide)).match(/"message"/g)!.length <= 9);
});
