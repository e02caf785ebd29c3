// Who creates the runs of failure handlers, and when.
import assert from "node:assert/strict";
import { declarationOf, only, Scene } from "../scheduler/scene.ts";
import { describe, test } from "../support/harness.ts";

const declared = { ...declarationOf("mail"), onFailure: "mail-failed" };
const created = (commands: Parameters<typeof only>[0]) => only(commands, "createFailureRun").map(({ key }) => key);

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
    scene.give({ type: "failureHandlers", handlers });
    assert.deepEqual(created(scene.give({ type: "lead", epoch: 9, knownWorkers: [] })), ["mail/missed"]);
    assert.deepEqual(created(scene.report("w", "mail/running", "failed")), ["mail/running"]);
  });
});
