// What a worker says of many durable runs.
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import type { Log } from "../../../src/domain/log.ts";
import { countedLog } from "../../../src/worker/durable/counted-log.ts";
import { DurableRuns, type DurableRunsParts } from "../../../src/worker/durable/durable-runs.ts";
import { test } from "../../support/harness.ts";
import { waitFor } from "../../support/wait-for.ts";

type Line = readonly [level: string, message: string, fields?: Readonly<Record<string, unknown>>];

function hearing(): { readonly log: Log; readonly lines: Line[] } {
  const lines: Line[] = [];
  const at = (level: string) => (message: string, fields?: Readonly<Record<string, unknown>>) =>
    void lines.push(fields === undefined ? [level, message] : [level, message, fields]);
  return { log: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") }, lines };
}

test("what is true of many runs of a task is told once, and then how many others there are", async () => {
  const { log, lines } = hearing();
  const counted = countedLog(log, "flow");
  for (let i = 0; i < 100; i++) counted.error("it waits", { run: `flow/${i}` });
  counted.warn("it is late", { run: "flow/7" });
  counted.info("as ever");
  assert.deepEqual(lines, [
    ["error", "it waits", { run: "flow/0" }],
    ["warn", "it is late", { run: "flow/7" }],
    ["info", "as ever"],
  ]);
  const told: Line = ["error", "it waits; and 99 others of its task", { task: "flow" }];
  await waitFor(() => lines.length > 3, 20_000, "the others");
  assert.deepEqual(lines.slice(3), [told]);
  counted.error("it waits", { run: "flow/x" });
  await pause(0);
  assert.equal(lines.length, 4);
});

test("a method that ends without a call of its own says so once; not if it threw, as others may stand beside what failed", () => {
  const { log, lines } = hearing();
  const runs = new DurableRuns({ log } as unknown as DurableRunsParts);
  const task = { name: "flow", code: "a" } as never;
  runs.hostFor(task).onLeftBehind!("flow/1", ["step ship"], true);
  assert.equal(lines.length, 0);
  for (const run of ["flow/2", "flow/3"]) runs.hostFor(task).onLeftBehind!(run, ["step ship"], false);
  runs.hostFor({ name: "other", code: "a" } as never).onLeftBehind!("other/1", ["step a", "step b"], false);
  assert.deepEqual(
    lines.map(([level, message]) => `${level} ${message.split(":")[0]}`),
    [
      'warn a durable method of task "flow" ended without step ship, which was given up',
      'warn a durable method of task "other" ended without step a, step b, which was given up',
    ],
  );
  assert.deepEqual(lines[0]![2], { run: "flow/2" });
});
