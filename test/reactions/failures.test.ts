// Who creates the runs of failure handlers, and when.
import assert from "node:assert/strict";
import { declarationOf, only, Scene } from "../scheduler/scene.ts";
import { describe, test } from "../support/harness.ts";

const declared = { ...declarationOf("mail"), onFailure: "mail-failed" };
const created = (commands: Parameters<typeof only>[0]) =>
  only(commands, "react").map(({ reaction: { cause } }) => (cause.type === "failure" ? cause.key : cause.cron));

describe("failure handlers", () => {
  test("a failure of a declared task is handled; what was before the declaration is not", () => {
    const scene = new Scene();
    scene.register("w", 5, ["mail"]);
    scene.create("mail", "before");
    scene.tick();
    assert.deepEqual(created(scene.report("w", "mail/before", "failed")), []);
    assert.equal(only(scene.register("w", 5, [declared]), "storeFailureHandler").length, 1);
    scene.create("mail", "a");
    scene.create("mail", "b");
    scene.tick();
    assert.deepEqual(created(scene.report("w", "mail/a", "failed")), ["mail/a"]);
    assert.deepEqual(created(scene.report("w", "mail/b", "completed")), []);
    assert.deepEqual(only(scene.register("w", 5, [declared]), "storeFailureHandler"), []);
    assert.equal(only(scene.register("w", 5, ["mail"]), "storeFailureHandler")[0]!.handler, undefined);
  });

  test("a new leader makes up for what the one before did not do, and for nothing else", () => {
    const scene = new Scene({}, "standby");
    for (const id of ["old", "handled", "missed", "before", "running"]) scene.create("mail", id);
    scene.report("w", "mail/old", "failed");
    const handlers = [{ task: "mail", handler: "mail-failed", from: scene.seq }];
    scene.report("w", "mail/handled", "failed");
    scene.create("mail-failed", "mail:handled");
    scene.create("mail-failed", "sms:missed"); // of another task with the same handler
    scene.report("w", "mail/missed", "failed");
    scene.report("w", "mail/before", "failed");
    scene.create("mail-failed", "before", { extra: { metadata: { "natchet.failed": "mail/before" } } });
    scene.give({ type: "briefed", briefing: { failures: { handlers, upTo: 0 } } });
    assert.deepEqual(created(scene.give({ type: "lead", epoch: 9, knownWorkers: [] })), ["mail/missed"]);
    assert.deepEqual(created(scene.report("w", "mail/running", "failed")), ["mail/running"]);
  });

  test("a failure is not forgotten before its handler's run is stored, nor that run before the cursor has passed the failure", () => {
    const scene = new Scene({ keepCount: 1, housekeepingDelayMs: 0 });
    scene.register("w", 5, [declared]);
    scene.create("mail", "failed");
    scene.create("mail", "next");
    const [react] = only(scene.report("w", "mail/failed", "failed"), "react");
    scene.report("w", "mail/next", "completed");
    assert.deepEqual(only(scene.live(5_000), "storeHandled"), []);
    assert.deepEqual(only(scene.commands, "purge"), []);
    scene.give({ type: "reacted", n: react!.n });
    const [cursor, ...others] = only(scene.live(5_000), "storeHandled");
    assert.deepEqual([cursor!.upTo, others], [scene.seq, []]);
    assert.deepEqual(only(scene.commands, "purge"), []);
    scene.give({ type: "handledStored", upTo: cursor!.upTo });
    assert.notEqual(only(scene.live(1_000), "purge").length, 0);
  });

  test("what the cursor has passed is not handled again, although nobody knows its handler's run any more", () => {
    const scene = new Scene({}, "standby");
    for (const id of ["handled", "missed"]) scene.create("mail", id);
    scene.report("w", "mail/handled", "failed");
    const upTo = scene.seq;
    scene.report("w", "mail/missed", "failed");
    const handlers = [{ task: "mail", handler: "mail-failed", from: 0 }];
    scene.give({ type: "briefed", briefing: { failures: { handlers, upTo } } });
    assert.deepEqual(created(scene.give({ type: "lead", epoch: 9, knownWorkers: [] })), ["mail/missed"]);
  });

  test("an outage that fails many runs asks for the runs of their handlers bit by bit", () => {
    const scene = new Scene();
    scene.register("w", 5, [declared]);
    for (let i = 0; i < 200; i++) scene.create("mail", `${i}`);
    const reactions = Array.from({ length: 200 }, (_, i) =>
      only(scene.report("w", `mail/${i}`, "failed"), "react"),
    ).flat();
    assert.equal(reactions.length, 64);
    for (let next = reactions.shift(); next !== undefined; next = reactions.shift())
      reactions.push(...only(scene.give({ type: "reacted", n: next.n }), "react"));
    assert.deepEqual(created(scene.commands).length, 200);
    assert.equal(new Set(created(scene.commands)).size, 200);
  });
});
