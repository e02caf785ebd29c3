// Whoever may publish can put any bytes under any name into the log; test/fuzz does so at random, and these are single cases.
import assert from "node:assert/strict";
import { MalformedRecord } from "../../src/domain/errors.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { only, Scene } from "../scheduler/scene.ts";
import { describe, test } from "../support/harness.ts";

const subjects = new Subjects("prod");
const names = ["constructor", "toString", "__proto__", "hasOwnProperty", "valueOf", "plain"];

describe("a log that anybody writes to", () => {
  test("a run of a task called like a property of every object waits, expires and is found as any other", () => {
    for (const task of names) {
      const scene = new Scene();
      scene.give({ type: "pauses", pauses: { namespace: false, tasks: [], workers: [], resumedAt: {} } });
      scene.create(task, "a", { scheduleTimeoutMs: 300_000 });
      assert.equal(only(scene.tick(), "wake")[0]!.at, scene.now + 1_000);
      assert.equal(only(scene.live(300_000), "append").length, 1);
    }
  });

  test("a run that is tried for ever keeps its latest attempts", () => {
    const scene = new Scene();
    scene.create("mail", "a");
    for (let turn = 1; turn <= 250; turn++) {
      const attempt = { attempt: turn, turn, worker: "w1", startedAt: 1, endedAt: 1, outcome: "retry" as const };
      scene.report("w1", "mail/a", "retry", { detail: { attempt } });
    }
    const { history, turn } = scene.state.live.get("mail/a")!;
    assert.deepEqual([history.length, history[0]!.turn, turn], [100, 151, 251]);
  });

  test("a subject without an id is refused, and does not spoil the names of those behind it", () => {
    assert.throws(() => subjects.parseRun("natchet.prod.run.stray"), MalformedRecord);
    assert.deepEqual(subjects.parseRun("natchet.prod.run.email.a"), { task: "email", id: "a" });
  });
});
