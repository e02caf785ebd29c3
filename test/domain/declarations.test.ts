// What a declaration refuses, and what it fills in: names, tasks, workers, contracts.
import assert from "node:assert/strict";
import { contract, of } from "../../src/domain/contract.ts";
import { assertName } from "../../src/domain/names.ts";
import { checkTask, type TaskOptions } from "../../src/domain/task.ts";
import { checkWorker } from "../../src/domain/worker.ts";
import { test } from "../support/harness.ts";

test("names: 1 to 64 characters that a subject takes", () => {
  for (const name of ["a", "send-email", "A_1", "x".repeat(64)]) assert.equal(assertName("task", name, "x"), name);
  for (const name of ["", "a.b", "a b", "a*", ">", "grün", "x".repeat(65), 5, null, undefined]) {
    assert.throws(() => assertName("task", name, "@Task on send"), /^TypeError: @Task on send: .*"send-email"/);
  }
  assert.throws(() => assertName("namespace", "a.b", "namespace"), /"a\.b" is not a valid namespace name.*"prod"/);
});

// `x_lease` would have the bucket in which the engines of `x` find their leader.
test("names: a namespace does not take the names of another one's streams", () => {
  for (const name of ["x_lease", "x_LOGS", "x_logs", "x_RESERVE", "x_JOURNAL"]) {
    assert.throws(
      () => assertName("namespace", name, "namespace"),
      /ends with _\w+, as a stream of namespace "x" does/,
    );
    assert.equal(assertName("task", name, "x"), name);
  }
  for (const name of ["lease", "x_leases", "x-lease"]) assert.equal(assertName("namespace", name, "namespace"), name);
});

test("defineTask: defaults", () => {
  const task = checkTask("send");
  assert.deepEqual(
    [task.timeoutMs, task.scheduleTimeoutMs, task.priority, task.retry.limit, task.input, task.output],
    [60_000, null, 1, 0, undefined, undefined],
  );
  assert.equal(checkTask("send", { scheduleTimeout: "5m" }).scheduleTimeoutMs, 300_000);
  assert.equal(checkTask("send", { scheduleTimeout: null }).scheduleTimeoutMs, null);
});

test("defineTask: every wrong option is refused with a sentence", () => {
  const wrong: [object, RegExp][] = [
    [{ retry: 3 }, /"retry" is not an option of a task. Did you mean "retries"\? The options are .*retries/],
    [{ timeout: "0s" }, /timeout: must be longer than 0/],
    [{ timeout: "soon" }, /"soon" is not a valid duration/],
    [{ priority: 0 }, /priority must be a whole number from 1 to 9, not 0/],
    [{ priority: 10 }, /not 10/],
    [{ input: { to: "string" } }, /input: .* is not a schema.*z\.object/],
    [{ retries: -1 }, /from 0 to 1000/],
  ];
  for (const [options, message] of wrong) assert.throws(() => checkTask("send", options as TaskOptions), message);
});

test("defineWorker: slots and unique task names", () => {
  const task = { ...checkTask("a"), handler: () => {} };
  const worker = { name: "w", slots: 5, labels: {}, tasks: [task] };
  assert.equal(checkWorker(worker).slots, 5);
  for (const slots of [0, -1, 1.5, 10_001]) assert.throws(() => checkWorker({ ...worker, slots }), /from 1 to 10000/);
  assert.throws(() => checkWorker({ ...worker, tasks: [task, task] }), /two tasks named "a"/);
  assert.throws(() => checkWorker({ ...worker, tasks: [] }), /has no task/);
});

test("contract: a legal name and two schemas", () => {
  const resize = contract("resize", { input: of<{ width: number }>(), output: of<{ url: string }>() });
  assert.equal(resize.name, "resize");
  assert.throws(() => contract("a b", { input: of<number>(), output: of<number>() }), /"a b" is not a valid task name/);
  assert.throws(
    () => contract("a", { input: {} as never, output: of<number>() }),
    /contract "a": input: .* is not a schema/,
  );
});
