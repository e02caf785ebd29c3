// Workers whose event loop does not turn, and attempts that gave their slot back.

import assert from "node:assert/strict";
import { workerOf } from "../../src/matching/workers.ts";
import { describeWorkers } from "../../src/requests/describe.ts";
import type { FinalDetail } from "../../src/wire/story.ts";
import { assignments, declarationOf, endings, only, Scene } from "../scheduler/scene.ts";
import { describe, test } from "../support/harness.ts";

const task = { ...declarationOf("mail"), timeoutMs: 60_000, retries: 1 };
const blockedBeat = (scene: Scene, id = "w") =>
  scene.give({ type: "heartbeat", message: { id, executing: [], quiet: false, lagMs: 5_000, blocked: true } });
function running(scene: Scene, id: string): void {
  scene.create("mail", id);
  scene.acknowledge(scene.tick());
}

describe("a blocked worker", () => {
  test("keeps its runs however long it does not name them, gets no others, and is not gone with its connection", () => {
    const scene = new Scene();
    scene.register("w", 5, [{ ...task, timeoutMs: 3_600_000 }]);
    running(scene, "a");
    for (let i = 0; i < 30; i++) {
      blockedBeat(scene);
      scene.give({ type: "unreachable", id: "w" });
      assert.deepEqual(endings(scene.live(4_000)), []);
    }
    scene.create("mail", "b");
    assert.deepEqual(assignments(scene.tick()), []);
    const [worker] = describeWorkers(scene.state);
    assert.deepEqual([worker!.state, worker!.lagMs], ["blocked", 5_000]);
    scene.beat("w", [scene.held("mail/a")]);
    assert.deepEqual(assignments(scene.tick()), ["w: mail/b"]);
  });

  test("is looked through for overdue attempts once a second, however many ticks there are", () => {
    const scene = new Scene();
    scene.register("w", 5, [task]);
    running(scene, "a");
    blockedBeat(scene);
    const worker = scene.state.workers.get("w")!;
    let looks = 0;
    const valuesOf = worker.ledger.values.bind(worker.ledger);
    worker.ledger.values = () => {
      looks++;
      return valuesOf();
    };
    for (let i = 0; i < 1_000; i++) {
      scene.pass(5);
      scene.tick();
    }
    assert.ok(looks <= 6, `${looks} looks in 5 s`);
  });

  test("not blocked, that beats and does not end an attempt loses it a minute after its timeout, whatever it says", () => {
    const scene = new Scene();
    scene.register("w", 5, [{ ...task, retries: 0 }]);
    running(scene, "a");
    const ended: string[] = [];
    const pass = (ms: number) => {
      for (let left = ms; left > 0; left -= 4_000) {
        scene.beat("w", scene.state.live.has("mail/a") ? [scene.held("mail/a")] : []);
        const commands = scene.live(4_000);
        ended.push(...endings(commands));
        scene.store(commands);
      }
    };
    pass(116_000);
    assert.deepEqual(ended, []);
    pass(24_000);
    assert.deepEqual(ended, ["failed mail/a"]);
  });

  test("an attempt is ended ten seconds after its timeout: tried again elsewhere while its task has retries, then failed", () => {
    const scene = new Scene();
    for (const id of ["w", "v"]) scene.register(id, 1, [task]);
    running(scene, "a");
    const first = workerOf(scene.state.live.get("mail/a")!)!.id;
    const second = first === "w" ? "v" : "w";
    const pass = (ms: number, blocked: string, alive?: string) => {
      const ended: string[] = [];
      for (let left = ms; left > 0; left -= 4_000) {
        blockedBeat(scene, blocked);
        if (alive !== undefined) scene.beat(alive);
        const commands = scene.live(4_000);
        ended.push(...endings(commands));
        scene.store(commands);
      }
      return ended;
    };
    assert.deepEqual(pass(68_000, first, second), []);
    assert.deepEqual(pass(8_000, first, second), ["retry mail/a"]);
    assert.equal(scene.state.live.get("mail/a")!.attempt, 2);
    assert.equal(workerOf(scene.state.live.get("mail/a")!)?.id, second);
    const failed = pass(80_000, second);
    assert.deepEqual(failed, ["failed mail/a"]);
    const [append] = only(scene.commands, "append").slice(-1);
    const detail = append!.outcomes[0]!.detail as FinalDetail;
    assert.equal(detail.error!.name, "TimeoutError");
    assert.deepEqual(
      detail.attempts.map(({ outcome }) => outcome),
      ["retry", "failed"],
    );
  });

  test("an extended timeout counts", () => {
    const scene = new Scene();
    scene.register("w", 1, [task]);
    running(scene, "a");
    scene.beat("w", [{ ...scene.held("mail/a"), until: scene.now + 200_000 }]);
    for (let left = 200_000; left > 0; left -= 4_000) {
      blockedBeat(scene);
      assert.deepEqual(endings(scene.live(4_000)), []);
    }
  });
});

describe("an attempt without a slot", () => {
  test("its slot is free, the run stays, and is lost with its worker", () => {
    const scene = new Scene();
    scene.register("w", 1, ["mail"]);
    running(scene, "a");
    scene.create("mail", "b");
    assert.deepEqual(assignments(scene.tick()), []);
    scene.beat("w", [{ ...scene.held("mail/a"), slotless: true }]);
    assert.deepEqual(assignments(scene.tick()), ["w: mail/b"]);
    assert.equal(scene.state.workers.get("w")!.busy, 1);
    scene.report("w", "mail/a", "completed");
    assert.equal(scene.state.workers.get("w")!.busy, 1);
    running(scene, "c");
    scene.beat("w", [{ ...scene.held("mail/b"), slotless: true }]);
    assert.deepEqual(endings(scene.give({ type: "leave", id: "w" })).sort(), ["lost mail/b"]);
  });

  test("a new leader hears of it", () => {
    const scene = new Scene({}, { knownWorkers: ["w"] });
    scene.create("mail", "a");
    scene.create("mail", "b");
    scene.register("w", 1, ["mail"], [{ ...scene.held("mail/a"), slotless: true }]);
    assert.deepEqual(assignments(scene.tick()), ["w: mail/b"]);
  });
});
