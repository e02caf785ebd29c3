// Who is gone and who is only silent, as a standby sees it.
import assert from "node:assert/strict";
import { Effect, Exit, Scope } from "effect";
import { silentLog } from "../../src/domain/log.ts";
import { LeaderVoice, LeaderWatch } from "../../src/nats/leader-watch.ts";
import type { NatsLink } from "../../src/nats/link.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { test } from "../support/harness.ts";
import { inScene, outageOf } from "./scene.ts";

const subjects = new Subjects("test");

/** Resolves with the function that ends it. */
async function lead(link: NatsLink, engine: string): Promise<() => Promise<void>> {
  const scope = await Effect.runPromise(Scope.make());
  await Effect.runPromise(Scope.provide(new LeaderVoice(link, subjects, engine, silentLog).alive, scope));
  return () => Effect.runPromise(Scope.close(scope, Exit.void));
}

test("leader watch: alive while it answers, gone some moments after its connection is", () =>
  inScene(async (scene) => {
    const leaders = await scene.link();
    await lead(leaders, "a");
    await leaders.nc.flush();
    const watch = new LeaderWatch(await scene.link(), subjects);
    assert.equal(await watch.look("a"), "alive");
    await leaders.nc.close();
    const looks: string[] = [];
    do {
      looks.push(await watch.look("a"));
      await outageOf(250);
    } while (looks.at(-1) === "unknown" && looks.length < 10); // the first may still reach the connection that closes
    assert.equal(looks.at(-1), "gone");
    assert.ok(looks.length >= 3, `gone after ${looks.length} looks`);
    assert.equal(await watch.look("b"), "unknown", "another leader is judged anew");
  }));

test("leader watch: one that is connected and silent is not gone, nor one that came back", () =>
  inScene(async (scene) => {
    const leaders = await scene.link();
    leaders.nc.subscribe(subjects.leader("stopped"), { callback: () => {} });
    const silence = await lead(leaders, "a");
    await leaders.nc.flush();
    const watch = new LeaderWatch(await scene.link(), subjects);
    for (let i = 0; i < 4; i++) assert.equal(await watch.look("stopped"), "unknown");
    await silence();
    await leaders.nc.flush();
    assert.equal(await watch.look("a"), "unknown");
    const silenceAgain = await lead(leaders, "a");
    await leaders.nc.flush();
    assert.equal(await watch.look("a"), "alive");
    await silenceAgain();
    await leaders.nc.flush();
    await outageOf(500);
    assert.equal(await watch.look("a"), "unknown", "the count began anew");
  }));

test("leader watch: a leader that leaves tells those that asked last, so none has to look again first", () =>
  inScene(async (scene) => {
    const link = await scene.link();
    const voice = new LeaderVoice(link, subjects, "a", silentLog);
    await scene.run(voice.alive);
    const watches = Array.from({ length: 5 }, () => new LeaderWatch(link, subjects));
    const told: number[] = [];
    for (const [i, watch] of watches.entries()) {
      await scene.run(watch.listening);
      assert.equal(await watch.look("a"), "alive");
      void Effect.runPromise(watch.freed).then(() => told.push(i));
    }
    voice.sayFree();
    await link.nc.flush();
    await watches[0]!.look("a"); // what was said before this is heard before its answer
    assert.deepEqual(told, [1, 2, 3, 4]);
  }));

test("leader watch: that the lease is free is heard once, also by a standby that does not look again", () =>
  inScene(async (scene) => {
    const link = await scene.link();
    const voice = new LeaderVoice(link, subjects, "a", silentLog);
    const watch = new LeaderWatch(link, subjects);
    await scene.run(voice.alive);
    await scene.run(watch.listening);
    assert.equal(await watch.look("a"), "alive");
    voice.sayFree();
    await Effect.runPromise(watch.freed);
    const again = Effect.runPromise(
      Effect.raceFirst(Effect.as(watch.freed, "freed"), Effect.as(Effect.sleep(50), "slept")),
    );
    assert.equal(await again, "slept", "or it would try without a pause");
  }));
