import assert from "node:assert/strict";
import { z } from "zod";
import { defineTask, defineWorker } from "../../src/domain/plain-worker.ts";
import { test } from "../support/harness.ts";

const Email = z.object({ to: z.string(), subject: z.string().default("hi") });

test("defineTask and defineWorker fill in what decorators would", () => {
  const send = defineTask(
    "send",
    { input: Email, retries: 3 },
    async ({ to, subject }, ctx) => `${to} ${subject} ${ctx.attempt}`,
  );
  const worker = defineWorker({ name: "email", tasks: [send] });
  assert.deepEqual([worker.slots, worker.labels], [100, {}]);
  const { retry, timeoutMs, scheduleTimeoutMs, priority } = worker.tasks[0]!;
  assert.deepEqual([retry.limit, retry.baseMs, timeoutMs, scheduleTimeoutMs, priority], [3, 1_000, 60_000, null, 1]);
});

test("defineTask and defineWorker refuse what is wrong, with an example", () => {
  const task = defineTask("send", {}, () => undefined);
  assert.throws(() => defineTask("a b", {}, () => undefined), /defineTask "a b": "a b" is not a valid task name/);
  assert.throws(() => defineTask("send", {}, undefined as never), /the handler must be a function, for example/);
  assert.throws(() => defineWorker({ name: "w", tasks: [] }), /worker "w" has no task/);
  assert.throws(() => defineWorker({ name: "w", slot: 5, tasks: [task] } as never), /Did you mean "slots"\?/);
  assert.throws(() => defineWorker({ name: "w", slots: 0, tasks: [task] }), /slots must be a whole number/);
});
