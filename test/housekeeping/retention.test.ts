import assert from "node:assert/strict";
import { only, Scene } from "../scheduler/scene.ts";
import { describe, test } from "../support/harness.ts";

describe("retention", () => {
  test("removes the entry of a run that ended before its entry was moved, though runs that stay ended in between", () => {
    // An engine that was late moved the entry of a live run behind the outcome that had ended the run meanwhile. Whoever folded what was
    // left then met the outcome first, listed the run out of order, and overlooked it when entries were removed before their outcomes:
    // without the outcome the entry was a live run again.
    const scene = new Scene({ keepCount: 2, housekeepingDelayMs: 0 }, "standby");
    const at = scene.now;
    const cancelled = {
      kind: "cancelled" as const,
      key: "mail/a",
      turn: 1,
      origin: 1,
      at,
      dueAt: 0,
      detail: undefined,
    };
    scene.give({ type: "outcomes", seq: 2, at, by: "engine", writer: "e6", outcomes: [cancelled] });
    scene.seq = 2;
    scene.create("mail", "live"); // nothing behind it can be purged as a whole
    for (const id of ["b", "c"]) {
      scene.create("mail", id);
      scene.report("w1", `mail/${id}`, "completed");
    }
    const live = {
      asOf: 1,
      origin: 1,
      turn: 1,
      attempt: 1,
      lost: 0,
      dueAt: 0,
      readyAt: at,
      retrying: false,
      history: [],
    };
    const moved = scene.create("mail", "a", { form: 1, extra: { state: live } });
    assert.equal(scene.state.finished.get("mail/a")!.kind, "cancelled");
    scene.give({ type: "lead", epoch: 7, knownWorkers: [] });
    scene.give({ type: "heard", at, gaps: scene.state.fold.gaps });
    const commands = scene.live(1_000);
    assert.deepEqual(only(commands, "purge").filter(({ keepFrom }) => keepFrom > moved)[0], {
      type: "purge",
      filter: { key: "mail/a" },
      keepFrom: moved + 1,
    });
    assert.deepEqual(only(commands, "append"), [], "no mark before the entry is gone");
  });

  test("purges what a mark has given up, though its writer went before it could and nothing else ever ends", () => {
    const scene = new Scene({ keepCount: 0, housekeepingDelayMs: 0 }, "standby");
    scene.create("mail", "a");
    scene.report("w1", "mail/a", "completed");
    const mark = {
      kind: "retention" as const,
      key: "",
      turn: 0,
      origin: 2,
      at: scene.now,
      dueAt: 2,
      detail: undefined,
    };
    scene.give({ type: "outcomes", seq: ++scene.seq, at: scene.now, by: "engine", writer: "e6", outcomes: [mark] });
    scene.give({ type: "floor", outcomesFrom: 2 });
    scene.give({ type: "lead", epoch: 7, knownWorkers: [] });
    scene.give({ type: "heard", at: scene.now, gaps: 0 });
    const purges = only(scene.live(2_000), "purge");
    assert.deepEqual(purges, [{ type: "purge", filter: "outcomes", keepFrom: 3 }]);
    scene.answerPurges(purges);
    assert.deepEqual(only(scene.live(2_000), "purge"), []);
  });

  test("purges no outcomes while the purge of an entry has not been answered, whatever has been forgotten since", () => {
    // A duplicate came when its task was being purged, so its own purge had to wait. For the fold it was gone; the mark forgot the run; and
    // when its outcome had been purged, whoever read the log again met the duplicate alone and took it for a new run.
    const scene = new Scene({ keepCount: 0, housekeepingDelayMs: 0, garbageBatch: 1 });
    scene.create("mail", "a");
    scene.register("w1", 1, ["mail"]);
    scene.tick();
    scene.report("w1", "mail/a", "completed");
    const [first] = only(scene.live(1_000), "purge");
    assert.deepEqual(first, { type: "purge", filter: { task: "mail" }, keepFrom: 2 });
    const { entries } = scene.state.fold.logOf("mail");
    entries.clearTo = 4; // a duplicate that was met during that purge
    scene.answerPurges([first!]);
    const commands = scene.live(1_000);
    assert.deepEqual(only(commands, "purge"), [{ type: "purge", filter: { task: "mail" }, keepFrom: 4 }]);
    assert.deepEqual(only(commands, "append"), [], "no mark before that is answered");
  });
});
