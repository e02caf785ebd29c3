// One attempt by itself: when its verdict stands, and when its slot is really free.
import assert from "node:assert/strict";
import { Effect, Schema } from "effect";
import type { TaskContext } from "../../src/domain/context.ts";
import { RetryLater } from "../../src/domain/errors.ts";
import { silentLog } from "../../src/domain/log.ts";
import { checkTask, type TaskOptions } from "../../src/domain/task.ts";
import type { Handler } from "../../src/domain/worker.ts";
import type { Assignment } from "../../src/wire/assignment.ts";
import { jsonBytes, noBytes } from "../../src/wire/bytes.ts";
import { decodeOutcomeEntry, encodeOutcomeEntry } from "../../src/wire/outcome-entry.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import type { Attempt, AttemptHost } from "../../src/worker/attempt.ts";
import { Deadlines } from "../../src/worker/deadline.ts";
import { HeldRuns } from "../../src/worker/held-runs.ts";
import { LiveHost } from "../../src/worker/live-host.ts";
import { outcomeOf } from "../../src/worker/outcome.ts";
import { PlainAttempt } from "../../src/worker/plain-attempt.ts";
import type { Self } from "../../src/worker/self.ts";
import type { Verdict } from "../../src/worker/verdict.ts";
import { test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

const options = { worker: "w", maxPayload: 1_048_576, random: () => 0.5 };

const silent = { ...silentLog, progress: () => {}, stream: async () => {}, end: async () => {} };

const first: Assignment = {
  key: "t/1",
  priority: 1,
  turn: 1,
  attempt: 1,
  origin: 1,
  createdAt: 1,
  waiter: "",
  follows: false,
  extra: noBytes,
  input: jsonBytes({ n: 1 }),
};

function attemptOf(handler: Handler, task: TaskOptions = {}, graceMs = 30, assignment = first) {
  const verdicts: Verdict[] = [];
  const host: AttemptHost = {
    worker: "w",
    graceMs,
    deadlines: new Deadlines(),
    nowAfter: Date.now,
    voiceFor: () => silent,
    onVerdict: (_attempt, verdict) => verdicts.push(verdict),
  };
  const attempt = new PlainAttempt(host, assignment, { ...checkTask("t", task), handler });
  return { attempt, verdicts };
}

const ended = (attempt: Attempt) => new Promise<unknown>((resolve) => attempt.begin(resolve));

test("attempt: a value, a promise and an Effect are all outputs; a throw is a failure", async () => {
  for (const [handler, kind] of [
    [() => 1, "completed"],
    [async () => 1, "completed"],
    [() => Effect.succeed(1), "completed"],
    [() => Effect.fail("typed"), "failed"],
    [
      () => {
        throw new Error("at once");
      },
      "failed",
    ],
  ] as const) {
    const { attempt, verdicts } = attemptOf(handler);
    await ended(attempt);
    assert.deepEqual(
      verdicts.map((verdict) => verdict.kind),
      [kind],
    );
  }
});

test("attempt: code that ignores its signal gets its verdict after the grace, and has ended when it really has", async () => {
  let release = () => {};
  const { attempt, verdicts } = attemptOf(() => new Promise<void>((resolve) => (release = resolve)));
  const done = ended(attempt);
  await waitFor(() => attempt.startedAt > 0, 20_000, "the attempt to start");
  attempt.stop({ kind: "cancelled", reason: "enough" });
  await waitFor(() => verdicts.length === 1, 20_000, "the verdict");
  assert.deepEqual(verdicts, [{ kind: "cancelled", reason: "enough" }]);
  assert.equal(await Promise.race([done, "goes on"]), "goes on");
  release();
  await done;
  assert.equal(verdicts.length, 1);
});

test("attempt: a timeout is a failed attempt that may be retried; work that ends after a cancel is too late", async () => {
  const late = attemptOf(() => new Promise((resolve) => setTimeout(resolve, 40)), { timeout: "10ms", retries: 1 });
  await ended(late.attempt);
  assert.equal(outcomeOf(late.attempt, late.verdicts[0]!, 1_000, options).kind, "retry");
  const cancelled = attemptOf(async (_input, ctx) => {
    await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
    return "done all the same";
  });
  const running = ended(cancelled.attempt);
  await waitFor(() => cancelled.attempt.startedAt > 0, 20_000, "the attempt to start");
  cancelled.attempt.stop({ kind: "cancelled", reason: "enough" });
  await running;
  assert.deepEqual(
    cancelled.verdicts.map((verdict) => verdict.kind),
    ["cancelled"],
  );
});

test("attempt: work that is finished in spite of a shutdown counts, unfinished work is given back", async () => {
  const finishing = attemptOf(async (_input, ctx) => {
    await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
    return "finished";
  });
  const running = ended(finishing.attempt);
  await waitFor(() => finishing.attempt.startedAt > 0, 20_000, "the attempt to start");
  finishing.attempt.stop({ kind: "returned" });
  await running;
  assert.deepEqual(finishing.verdicts, [{ kind: "completed", output: "finished" }]);
  const hanging = attemptOf(() => new Promise((resolve) => setTimeout(resolve, 100)));
  const hung = ended(hanging.attempt);
  await waitFor(() => hanging.attempt.startedAt > 0, 20_000, "the attempt to start");
  hanging.attempt.stop({ kind: "returned" });
  await waitFor(() => hanging.verdicts.length === 1, 20_000, "the verdict");
  assert.equal(hanging.verdicts[0]!.kind, "returned");
  await hung;
});

test("outcome: retries end with the policy's limit, retryIf decides, delays follow the policy", async () => {
  const { attempt, verdicts } = attemptOf(
    () => {
      throw new TypeError("bad card");
    },
    { retries: { limit: 2, backoff: "fixed", base: 500, retryIf: (error) => !(error instanceof TypeError) } },
  );
  await ended(attempt);
  assert.equal(outcomeOf(attempt, verdicts[0]!, 1_000, options).kind, "failed");
  const other = attemptOf(
    () => {
      throw new Error("busy");
    },
    { retries: { limit: 2, backoff: "fixed", base: 500 } },
  );
  await ended(other.attempt);
  assert.deepEqual(outcomeOf(other.attempt, other.verdicts[0]!, 1_000, options).dueAt, 1_500);
});

test("outcome: a task that asks for more time is tried again then, with the same number and no trace in its history", async () => {
  const { attempt, verdicts } = attemptOf(() => {
    throw new RetryLater("10m", "not ready");
  });
  await ended(attempt);
  const { kind, dueAt, frame } = outcomeOf(attempt, verdicts[0]!, 1_000, options);
  assert.deepEqual([kind, dueAt], ["returned", 601_000]);
  assert.equal(decodeOutcomeEntry(encodeOutcomeEntry("worker", [frame])).outcomes[0]!.detail, undefined);
  assert.throws(() => new RetryLater("soon" as never), /RetryLater.*"soon"/s);
});

test("attempt: a fenced one hears why, and ends nothing but by work that is done", async () => {
  const untilStopped = (ctx: TaskContext) => new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
  const stopped = async (handler: Handler, task: TaskOptions = {}) => {
    const { attempt, verdicts } = attemptOf(handler, task);
    const running = ended(attempt);
    await waitFor(() => attempt.startedAt > 0, 20_000, "the attempt to start");
    attempt.stop({ kind: "fenced", reason: "the run has ended" });
    attempt.stop({ kind: "cancelled", reason: "too late" });
    await running;
    return verdicts;
  };
  const throwing: Handler = async (_input, ctx) => {
    await untilStopped(ctx);
    throw ctx.signal.reason;
  };
  assert.deepEqual(await stopped(throwing), [{ kind: "fenced" }]);
  const finishing: Handler = async (_input, ctx) => {
    await untilStopped(ctx);
    return String(ctx.signal.reason);
  };
  const output = "AbortError: this attempt no longer counts: the run has ended";
  assert.deepEqual(await stopped(finishing), [{ kind: "completed", output }]);
  assert.deepEqual(await stopped(finishing, { output: Schema.Number }), [{ kind: "fenced" }]);
});

test("live host: of a fenced attempt nothing is stored, whatever its code returns, but work that is done", async () => {
  const forgotten: Attempt[] = [];
  const stored: Attempt[] = [];
  const held = {
    forget: (attempt: Attempt) => forgotten.push(attempt),
    release: (attempt: Attempt) => stored.push(attempt),
  };
  const self = {
    ...{
      id: "w",
      name: "w",
      log: silentLog,
      subjects: new Subjects("test"),
      tasks: new Map(),
      held,
      executing: { size: 0 },
      ahead: { size: 0 },
    },
    link: { clock: { nowAfter: Date.now }, maxPayload: 1_000 },
    publisher: { append: async () => {} },
  };
  const presence = { beat: async () => {}, beatSoon: () => {} };
  const host = new LiveHost({ self: self as unknown as Self, presence, graceMs: 1 });
  const fenced = () => {
    const { attempt } = attemptOf(() => 1);
    attempt.stop({ kind: "fenced", reason: "the run has ended" });
    return attempt;
  };
  host.onVerdict(fenced(), { kind: "fenced" });
  host.onVerdict(fenced(), { kind: "completed", output: "x".repeat(2_000) }); // would fail its run
  await host.stored();
  assert.deepEqual([stored.length, forgotten.length], [0, 2]);
  host.onVerdict(fenced(), { kind: "completed", output: 1 });
  await host.stored();
  assert.deepEqual([stored.length, forgotten.length], [1, 2]);
});

test("held runs: a run is known while it is held and for a while after, so that a doubled assignment is no second execution", () => {
  const held = new HeldRuns();
  const { attempt } = attemptOf(() => 1);
  const { assignment } = attempt;
  const { attempt: later } = attemptOf(() => 1, {}, 30, { ...assignment, turn: 2 });
  held.add(attempt);
  held.add(later);
  assert.equal(held.size, 2);
  held.stop([{ kind: "cancel", key: "t/1", origin: 1, turn: 2, reason: "enough" }]);
  assert.deepEqual([attempt.signal.aborted, later.signal.aborted], [false, true]);
  for (const each of [attempt, later]) {
    assert.ok(held.has(each.assignment));
    held.release(each);
  }
  assert.ok(held.has(later.assignment));
  assert.equal(held.size, 0);
  assert.equal(held.has({ key: "t/1", turn: 3, origin: 1 }), false);
  assert.equal(held.has({ key: "t/1", turn: 2, origin: 99 }), false);
});

test("attempt: whatever user code throws or returns ends its own run, at once and after an await", async () => {
  const circle = Object.create(null);
  circle.self = circle;
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const closed = Object.defineProperty(new Error("closed"), "name", {
    get() {
      throw circle;
    },
  });
  const thrown = [circle, proxy, closed, Symbol("s"), 1n, null, undefined, () => 1];
  for (const value of thrown) {
    const atOnce = () => {
      throw value;
    };
    for (const handler of [atOnce, async () => atOnce(), () => Effect.fail(value), () => Effect.die(value)]) {
      const { attempt, verdicts } = attemptOf(handler, { retries: { limit: 1, retryIf: atOnce } });
      await ended(attempt);
      assert.deepEqual(
        verdicts.map(({ kind }) => kind),
        ["failed"],
      );
      assert.equal(outcomeOf(attempt, verdicts[0]!, 1_000, options).kind, "failed");
    }
  }
  const toJSON = () => {
    throw circle;
  };
  const then = () => {
    throw proxy;
  };
  for (const value of [circle, proxy, 1n, { toJSON }, { then }]) {
    for (const handler of [() => value, async () => value]) {
      const { attempt, verdicts } = attemptOf(handler);
      await ended(attempt);
      assert.equal(verdicts.length, 1);
      assert.equal(outcomeOf(attempt, verdicts[0]!, 1_000, options).kind, "failed");
    }
  }
});

test("attempt: a RetryLater made by hand with a time that is not a valid duration is an error like any other", async () => {
  for (const ms of [Number.NaN, -1, Number.POSITIVE_INFINITY, "soon"]) {
    const { attempt, verdicts } = attemptOf(
      () => {
        throw Object.assign(new Error("wait"), { name: "RetryLater", ms });
      },
      { retries: 1 },
    );
    await ended(attempt);
    const { kind, error } = outcomeOf(attempt, verdicts[0]!, 1_000, options);
    assert.equal(kind, "retry");
    assert.match(error!.message, /RetryLater: .* is not a valid duration/);
  }
});

test("attempt: code that waited since its run was accepted begins only if the run is still this worker's", async () => {
  for (const isAlive of [true, false]) {
    let now = 0;
    const timers = { now: () => now, set: () => 0, clear: () => {} };
    const verdicts: Verdict[] = [];
    let calls = 0;
    const host: AttemptHost = {
      ...{ worker: "w", graceMs: 30, nowAfter: Date.now, voiceFor: () => silent },
      deadlines: new Deadlines(timers),
      mayBegin: () => isAlive,
      onVerdict: (_attempt, verdict) => verdicts.push(verdict),
    };
    const handler = () => {
      calls += 1;
    };
    const executed = { ...checkTask("t"), handler };
    await ended(new PlainAttempt(host, first, executed));
    const late = new PlainAttempt(host, first, executed);
    now += 20_000; // stopped between the answer and the call
    await ended(late);
    assert.deepEqual(
      [calls, verdicts.map(({ kind }) => kind)],
      isAlive ? [2, ["completed", "completed"]] : [1, ["completed", "returned"]],
    );
  }
});
