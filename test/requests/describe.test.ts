// Asking changes nothing: a scheduler that is asked all the time does exactly what one does that is never asked.

import assert from "node:assert/strict";
import { parseBatch } from "../../src/domain/batch.ts";
import { parseConcurrency, parseRateLimits } from "../../src/domain/limits.ts";
import type { RunFilter } from "../../src/domain/listing.ts";
import type { OutcomeKind, RunInfo } from "../../src/domain/run.ts";
import { placeOf } from "../../src/matching/attached.ts";
import { workerOf } from "../../src/matching/workers.ts";
import { describeQueues, describeRun, describeWorkers, listRuns, liveRuns } from "../../src/requests/describe.ts";
import type { TaskDeclaration } from "../../src/wire/worker-messages.ts";
import { declarationOf, only, Scene } from "../scheduler/scene.ts";
import { describe, test } from "../support/harness.ts";

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const queries: Readonly<Record<string, (scene: Scene) => unknown>> = {
  describeRun: ({ state }) => [...state.live.values()].map(({ key }) => describeRun(state, key)),
  listRuns: ({ state }) => listRuns(state, { task: "rated" }, 10),
  liveRuns: ({ state }) => liveRuns(state, { state: ["queued"] }, 10, 0, Number.POSITIVE_INFINITY),
  describeQueues: ({ state }) => describeQueues(state),
  describeWorkers: ({ state }) => describeWorkers(state),
};
const tasks: readonly TaskDeclaration[] = [
  { ...declarationOf("plain") },
  { ...declarationOf("wide"), policies: { slots: 3 } },
  { ...declarationOf("keyed"), policies: { concurrency: parseConcurrency({ key: "input.of", max: 1 }, "test") } },
  {
    ...declarationOf("rated"),
    policies: { rateLimits: parseRateLimits({ key: "api", limit: 20, per: "5s", units: "input.units" }, "test") },
  },
  { ...declarationOf("batched"), policies: { batch: parseBatch({ size: 4, interval: "2s" }, "test")! } },
];

/** Everything that a leader does in a small life of all kinds of waiting; `ask` is called after each event. */
function live(ask: (scene: Scene) => unknown): string[] {
  const scene = new Scene();
  const done: string[] = [];
  const give = (act: () => unknown) => {
    const from = scene.commands.length;
    act();
    ask(scene);
    for (const command of scene.commands.slice(from)) {
      const runs = "runs" in command ? command.runs.map(({ key }) => key) : [];
      done.push(JSON.stringify({ ...command, runs, run: undefined, followers: undefined }));
    }
  };
  give(() => scene.register("w", 4, tasks));
  give(() => scene.register("v", 2, tasks));
  for (let i = 0; i < 60; i++) {
    const { name } = tasks[i % tasks.length]!;
    give(() => scene.create(name, `${i}`, { input: bytes({ of: i % 3, units: 1 + (i % 7) }), priority: 1 + (i % 2) }));
    if (i % 9 === 4) give(() => scene.give({ type: "cancel", keys: [`${name}/${i}`], reason: "test" }));
    if (i % 11 === 4) give(() => scene.give({ type: "reschedule", keys: [`${name}/${i}`], dueAt: scene.now + 3_000 }));
    scene.pass(130);
    let from = scene.commands.length;
    give(() => scene.tick());
    const rates = only(scene.commands.slice(from), "storeRates").flatMap((command) => command.rates);
    from = scene.commands.length;
    if (i % 2 === 0) give(() => scene.give({ type: "ratesStored", rates }));
    give(() => scene.store(scene.commands.slice(from)));
    const running = [...scene.state.live.values()].find((run) => placeOf(run) === "running");
    if (running !== undefined && i % 3 !== 0)
      give(() => scene.report(workerOf(running)!.id, running.key, i % 5 === 0 ? "returned" : "completed"));
  }
  for (let i = 0; i < 10; i++) {
    scene.pass(900);
    give(() => scene.tick());
  }
  return done;
}

describe("queries", () => {
  const unasked = live(() => {});
  for (const [name, query] of Object.entries(queries))
    test(`${name} changes nothing`, () => {
      assert.ok(unasked.some((command) => command.includes("storeRates")));
      assert.deepEqual(live(query), unasked);
    });

  test("asking why a run waits for its rate reserves nothing", () => {
    const scene = new Scene();
    const policies = { rateLimits: parseRateLimits({ key: "api", limit: 10, per: "1m" }, "test") };
    scene.register("w", 5, [{ ...declarationOf("mail"), policies }]);
    scene.give({ type: "pauses", pauses: { namespace: false, tasks: [], workers: ["w"], resumedAt: {} } });
    scene.create("mail", "a");
    scene.tick();
    describeRun(scene.state, "mail/a");
    assert.deepEqual(scene.give({ type: "pong", id: "w" }), []);
  });

  test("the position of the last of 300,000 waiting runs is found without looking at all of them", () => {
    const scene = new Scene();
    for (let i = 0; i < 300; i++)
      scene.bundle(
        "mail",
        `b${i}`,
        Array.from({ length: 1_000 }, (_, j) => `${i}-${j}`),
      );
    const last = "mail/299-999";
    assert.equal(describeRun(scene.state, last)!.info.waiting!.position, 300_000);
    assert.equal(describeRun(scene.state, "mail/0-5")!.info.waiting!.position, 6);
    scene.store(scene.give({ type: "cancel", keys: ["mail/0-1"], reason: "test" }));
    assert.equal(describeRun(scene.state, "mail/0-5")!.info.waiting!.position, 5);
    const before = performance.now();
    for (let i = 0; i < 1_000; i++) describeRun(scene.state, last);
    assert.ok(performance.now() - before < 2_000, "1,000 questions took more than 2 s");
  });
});

test("a list is searched for why runs failed or were cancelled, also when only entries in finished form tell", () => {
  const scene = new Scene();
  for (const id of ["late", "unwanted", "broken", "done"]) scene.create("t", id);
  const told = { createdAt: scene.now, priority: 1, attempts: [] };
  const error = { name: "TimeoutError", message: 'task "t" took longer than 5s', retryable: true };
  const end = (id: string, kind: OutcomeKind, more: object) =>
    scene.report("w", `t/${id}`, kind, { detail: { ...told, ...more } });
  end("late", "cancelled", { reason: "schedule timeout of 5m" });
  end("unwanted", "cancelled", { reason: "not wanted" });
  end("broken", "failed", { error });
  end("done", "completed", {});
  const search = (filter: RunFilter, { state } = scene) => listRuns(state, filter, 10).runs.map(({ info }) => info.id);
  assert.deepEqual(search({ reason: "schedule timeout" }), ["late"]);
  assert.deepEqual(search({ reason: "TimeoutError" }), ["broken"]);
  assert.deepEqual(search({ reason: "longer than", state: ["failed"], task: "t" }), ["broken"]);
  assert.deepEqual(search({ reason: "longer than", state: ["cancelled"] }), []);

  const rebuilt = new Scene({}, "standby");
  const state = {
    asOf: 5,
    origin: 1,
    kind: "cancelled" as const,
    seq: 5,
    index: 0,
    at: scene.now,
    why: "schedule timeout of 5m",
  };
  rebuilt.seq = 8;
  rebuilt.create("t", "late", { form: 2, extra: { state } });
  assert.deepEqual(search({ reason: "schedule timeout" }, rebuilt), ["late"]);
});

test("a list in pages holds each run once: those of one bundle, of one millisecond, and that ended in between", () => {
  const scene = new Scene();
  scene.bundle("t", "b", ["1", "2", "3", "4", "5"]);
  scene.create("t", "6");
  const seen: string[] = [];
  let after: RunInfo | undefined;
  do {
    const { runs, total, isCut } = listRuns(scene.state, {}, 2, undefined, after);
    assert.ok(total >= 6);
    seen.push(...runs.map(({ info }) => info.id));
    after = isCut ? runs.at(-1)!.info : undefined;
    scene.pass(1);
    scene.create("t", `newer${seen.length}`); // is not in the way of the older ones
  } while (after !== undefined);
  assert.deepEqual(seen, ["6", "5", "4", "3", "2", "1"]);
});

test("a cancel in parts meets each live run once, but none that was created after its first part", () => {
  const scene = new Scene();
  scene.bundle("t", "b", ["1", "2", "3", "4", "5"]);
  const upTo = scene.seq + 1;
  const seen: string[] = [];
  let after = 0;
  for (let isCut = true; isCut; ) {
    const page = liveRuns(scene.state, { task: "t" }, 2, after, upTo);
    seen.push(...page.runs.map(({ id }) => id));
    after = page.runs.at(-1)!.origin;
    isCut = page.isCut;
    scene.create("t", `later${seen.length}`);
  }
  assert.deepEqual(seen, ["1", "2", "3", "4", "5"]);
});
