// Rate limits: what may start in a window, as the store and the tasks see it.

import assert from "node:assert/strict";
import { parseConcurrency, parseRateLimits } from "../../../src/domain/limits.ts";
import { placeOf } from "../../../src/matching/attached.ts";
import type { StoredRate } from "../../../src/matching/commands.ts";
import { declarationOf, endings, only, Scene } from "../../scheduler/scene.ts";
import { describe, test } from "../../support/harness.ts";
import { assigned, create, running, sceneWith, waiting } from "./scene.ts";

const rateLimits = (given: Parameters<typeof parseRateLimits>[0]) => ({ rateLimits: parseRateLimits(given, "test") });
/** What an engine does with a reservation: stores it, and says so. */
function confirm(scene: Scene): StoredRate[] {
  const rates = only(scene.commands.splice(0), "storeRates").flatMap((command) => command.rates);
  scene.give({ type: "ratesStored", rates });
  return rates;
}

/** The worker says that the code of all that it got has begun. */
const begin = (scene: Scene) =>
  scene.beat(
    "w",
    running(scene).map(({ key }) => scene.held(key)),
  );

describe("rate limits", () => {
  test("what starts is stored first, and no window sees more than the limit", () => {
    const scene = sceneWith(rateLimits({ key: "openai", limit: 3, per: "3s" }));
    for (let i = 0; i < 9; i++) create(scene, `r${i}`, {});
    assert.deepEqual(assigned(scene), []);
    confirm(scene);
    const starts: number[] = [];
    for (let second = 0; second < 10; second++) {
      starts.push(...assigned(scene).map(() => scene.now));
      confirm(scene);
      starts.push(...assigned(scene).map(() => scene.now));
      begin(scene);
      scene.pass(1_000);
    }
    assert.equal(starts.length, 9);
    for (const start of starts) assert.ok(starts.filter((at) => at >= start && at < start + 3_000).length <= 3);
  });

  test("a run over the limit holds no slot and stops nobody else, and says so", () => {
    const scene = sceneWith(rateLimits({ key: "input.user", limit: 1, per: "1m" }), 2);
    create(scene, "a0", { user: "a" });
    create(scene, "a1", { user: "a" });
    create(scene, "b0", { user: "b" });
    scene.tick();
    confirm(scene);
    assert.deepEqual(assigned(scene), ["a0", "b0"]);
    assert.deepEqual(waiting(scene, "mail/a1"), {
      for: "a rate limit",
      because: 'rate limit "input.user" of 1 per 1m is used up until 1970-01-01T00:17:40.000Z',
      position: 1,
    });
    const wake = only(scene.tick(), "wake").at(-1)!;
    assert.ok(wake.at <= scene.now + 1_000);
  });

  test("a new leader counts what was reserved", () => {
    const scene = sceneWith(rateLimits({ key: "openai", limit: 2, per: "1m" }));
    for (let i = 0; i < 4; i++) create(scene, `r${i}`, {});
    scene.tick();
    const first = confirm(scene);
    assigned(scene);
    const stored = [...first, ...confirm(scene)].at(-1)!;
    const started = running(scene).length;
    const next = new Scene({}, "standby");
    next.now = scene.now + 1_000;
    next.give({ type: "briefed", briefing: { rates: [stored] } });
    next.give({ type: "lead", epoch: 8, knownWorkers: [] });
    next.register("w", 9, [{ ...declarationOf("mail"), policies: rateLimits({ key: "openai", limit: 2, per: "1m" }) }]);
    for (let i = 0; i < 4; i++) create(next, `n${i}`, {});
    next.tick();
    confirm(next);
    assert.ok(started + assigned(next).length <= 2);
  });

  test("a run that was refused takes nothing", () => {
    const scene = sceneWith(rateLimits({ key: "openai", limit: 1, per: "1d" }));
    create(scene, "a", {});
    scene.tick();
    confirm(scene);
    const commands = scene.tick();
    assert.equal(only(commands, "assign").length, 1);
    scene.acknowledge(commands, [0]);
    scene.beat("w");
    assert.deepEqual(assigned(scene), ["a"]);
  });

  test("units come from the run; more than the limit fails it", () => {
    const scene = sceneWith(rateLimits({ key: "tokens", limit: 10, per: "1m", units: "input.tokens" }));
    create(scene, "six", { tokens: 6 });
    create(scene, "five", { tokens: 5 });
    create(scene, "four", { tokens: 4 });
    create(scene, "many", { tokens: 11 });
    assert.deepEqual(endings(scene.tick()), ["failed mail/many"]);
    confirm(scene);
    const first = assigned(scene);
    assert.ok(first.includes("six") && !first.includes("five"), first.join());
  });

  test("one plain key is one limit for all tasks that name it", () => {
    const scene = new Scene();
    const policies = rateLimits({ key: "openai", limit: 1, per: "5s" });
    scene.register("w", 9, [
      { ...declarationOf("mail"), policies },
      { ...declarationOf("bill"), policies },
    ]);
    scene.create("mail", "a");
    scene.create("bill", "b");
    scene.tick();
    confirm(scene);
    assert.deepEqual(assigned(scene), ["a"]);
    begin(scene);
    scene.live(4_000);
    assert.equal(running(scene).length, 1);
    scene.live(2_000);
    confirm(scene);
    assert.deepEqual(assigned(scene), ["b"]);
  });

  test("a run that begins late counts from its begin: no window that the tasks see has more than the limit", () => {
    const scene = sceneWith(rateLimits({ key: "openai", limit: 20, per: "5s" }));
    for (let i = 0; i < 200; i++) create(scene, `r${i}`, {});
    /** When the code of a run began, by the clock of its worker, which is an hour off. */
    const begun: number[] = [];
    const offMs = 3_600_000;
    const working: { readonly key: string; readonly beginsAt: number }[] = [];
    for (let step = 0; begun.length < 200 && step < 2_000; step++) {
      scene.pass(100);
      if (step % 40 === 0)
        scene.beat(
          "w",
          [...scene.state.live.values()]
            .filter((run) => placeOf(run) === "running")
            .map((run) => ({ ...scene.held(run.key), startedAt: 0 })),
        );
      const commands = [...scene.tick()];
      confirm(scene);
      commands.push(...scene.tick());
      // A busy worker: the code of the one begins at once, of the other up to 1.8 s later. Both take 100 ms.
      for (const { runs } of only(commands, "assign"))
        for (const { key } of runs) working.push({ key, beginsAt: scene.now + ((working.length * 7) % 19) * 100 });
      for (const { key, beginsAt } of working) {
        if (beginsAt + 100 !== scene.now) continue;
        begun.push(beginsAt);
        const record = {
          attempt: 1,
          turn: 1,
          worker: "w",
          startedAt: beginsAt + offMs,
          endedAt: beginsAt + 100 + offMs,
        };
        const attempts = [{ ...record, outcome: "completed" as const }];
        scene.report("w", key, "completed", { at: record.endedAt, detail: { createdAt: 0, priority: 1, attempts } });
      }
    }
    assert.equal(begun.length, 200);
    for (const from of begun) assert.ok(begun.filter((at) => at >= from && at < from + 5_000).length <= 20);
    assert.ok(begun.at(-1)! - begun[0]! < 75_000, "and little of what is allowed is left unused");
  });

  test("asked for in odd amounts while the store is slow, all that the limit allows starts, and nothing is counted twice", () => {
    const scene = sceneWith(rateLimits({ key: "llm", limit: 1_000, per: "1m", units: "input.n" }), 1_000);
    const sizes = [5, 90, 10, 120, 30, 200, 15, 75, 60, 180, 40, 100];
    sizes.forEach((n, i) => {
      create(scene, `r${i}`, { n });
      scene.tick();
    });
    assert.equal(only(scene.commands, "storeRates").length, 1, "one write at a time");
    let most = 0;
    for (let turn = 0; turn < 60; turn++) {
      const rates = only(scene.commands.splice(0), "storeRates").flatMap((command) => command.rates);
      for (const { uses, held = 0 } of rates)
        most = Math.max(
          most,
          uses.reduce((sum, { units }) => sum + units, held),
        );
      scene.give({ type: "ratesStored", rates });
      scene.tick();
    }
    assert.equal(running(scene).length, sizes.length);
    assert.equal(most, 925);
  });

  test("a new leader counts what was held as if it had begun just now", () => {
    const scene = sceneWith(rateLimits({ key: "openai", limit: 16, per: "10s" }));
    create(scene, "a", {});
    scene.tick();
    const [stored] = confirm(scene);
    // The only unit that is reserved is used five seconds later; the leader dies without another write.
    const next = new Scene({}, "standby");
    next.now = scene.now + 9_000;
    next.give({ type: "briefed", briefing: { rates: [stored!] } });
    next.give({ type: "lead", epoch: 8, knownWorkers: [] });
    const policies = rateLimits({ key: "openai", limit: 16, per: "10s" });
    next.register("w", 50, [{ ...declarationOf("mail"), policies }]);
    for (let i = 0; i < 20; i++) create(next, `n${i}`, {});
    let started = 0;
    for (let turn = 0; turn < 40; turn++) {
      confirm(next);
      started += assigned(next).length;
      next.pass(100);
    }
    assert.equal(started, 15);
  });

  test("a run that executes when its task is declared with a limit of which it has no key goes on, and is not counted", () => {
    const before = { concurrency: parseConcurrency({ key: "input.a", max: 5 }, "test") };
    const scene = sceneWith(before);
    create(scene, "x", { a: 1 });
    scene.acknowledge(scene.tick());
    const policies = { ...before, ...rateLimits({ key: "input.b", limit: 5, per: "1s" }) };
    scene.register("w", 100, [{ ...declarationOf("mail"), policies }], [scene.held("mail/x")]);
    assert.equal(running(scene).length, 1);
    scene.report("w", "mail/x", "completed");
    assert.equal(scene.state.live.size, 0);
  });
});
