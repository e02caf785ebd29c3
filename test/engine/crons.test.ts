// Schedules on a real server, with a clock of the test: stored, fired once, through leaders that come and go.
import assert from "node:assert/strict";
import { type CronOptions, parseCron } from "../../src/domain/cron.ts";
import { StoreUnavailable } from "../../src/domain/errors.ts";
import { type Log, silentLog } from "../../src/domain/log.ts";
import { Crons } from "../../src/engine/crons.ts";
import { Definitions } from "../../src/nats/definitions.ts";
import { makePublisher } from "../../src/nats/publisher.ts";
import { ensureStreams } from "../../src/nats/streams.ts";
import type { Register } from "../../src/wire/messages.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { inScene, type Scene as NatsScene } from "../nats/scene.ts";
import { describe, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

const start = Date.parse("2026-01-01T00:00:00Z");
const minute = 60_000;

class Scene {
  readonly nats: NatsScene;
  now = start;
  uptime = 0;
  readonly leaders: Crons[] = [];
  readonly warnings: string[] = [];
  /** Writes that the store refuses first. */
  refusals = 0;

  constructor(nats: NatsScene) {
    this.nats = nats;
  }
  get #log(): Log {
    return { ...silentLog, warn: (message) => this.warnings.push(message) };
  }
  /** Another engine's crons, as if it led now. */
  async lead(): Promise<Crons> {
    const crons = await this.standBy();
    await crons.load();
    crons.open();
    return crons;
  }
  async standBy(): Promise<Crons> {
    const link = await this.nats.link();
    const subjects = new Subjects("test");
    if (this.leaders.length === 0) await this.nats.run(ensureStreams(link, subjects, { replicas: 1 }));
    const publisher = await this.nats.run(makePublisher(link));
    const definitions = new Definitions(link, subjects);
    const replace = definitions.replace.bind(definitions);
    definitions.replace = (...args) => {
      const refusal = new StoreUnavailable({ operation: "store", reason: "the disk is full" });
      return this.refusals-- > 0 ? Promise.reject(refusal) : replace(...args);
    };
    const crons = new Crons({
      definitions,
      publisher,
      subjects,
      log: this.#log,
      now: () => this.now,
      uptime: () => this.uptime,
    });
    this.leaders.push(crons);
    return crons;
  }
  /** Time passes, and no clock is set. */
  pass(ms: number): void {
    this.now += ms;
    this.uptime += ms;
    for (const crons of this.leaders) crons.live();
  }
  async definitions(): Promise<Definitions> {
    return new Definitions(await this.nats.link(), new Subjects("test"));
  }
  /** The runs have ended, and the log has forgotten them. */
  async forgetRuns(): Promise<void> {
    const { streams } = await (await import("@nats-io/jetstream")).jetstreamManager(
      (await this.nats.link()).nc as never,
    );
    await streams.purge(new Subjects("test").stream);
  }
  /** The ids of all runs that were ever created, in the order of the log. */
  async created(): Promise<string[]> {
    const { streams } = await (await import("@nats-io/jetstream")).jetstreamManager(
      (await this.nats.link()).nc as never,
    );
    const stream = await streams.get(new Subjects("test").stream);
    const { state } = await stream.info();
    const ids: string[] = [];
    for (let seq = Math.max(state.first_seq, 1); seq <= state.last_seq; seq++) {
      const message = await stream.getMessage({ seq });
      ids.push(new Subjects("test").parseRun(message!.subject)!.id);
    }
    return ids;
  }
  async untilTicked(crons: Crons, name: string, at: number): Promise<void> {
    await waitFor(() => crons.list().find((cron) => cron.name === name)?.lastTick === at, 5_000, `${name} to tick`);
  }
}
const everyMinute = `cron.${Buffer.from("every-minute").toString("base64url")}`;
const inCronScene = (body: (scene: Scene) => Promise<void>) => () =>
  inScene(async (nats) => {
    const scene = new Scene(nats);
    try {
      await body(scene);
    } finally {
      for (const crons of scene.leaders) crons.close();
    }
  });
const rule = (expression: string, options: CronOptions = {}) => parseCron(expression, "task", options, "test");
const tick = (n: number) => `every-minute:${new Date(start + n * minute).toISOString()}`;
const registration = (startedAt: number, crons: readonly object[]) =>
  ({ name: "worker", startedAt, tasks: [{ name: "task", crons }] }) as unknown as Register;

describe("crons", () => {
  test(
    "each tick is one run, whoever fires it: two leaders, a new one after a crash, a clock that goes back",
    inCronScene(async (scene) => {
      const first = await scene.lead();
      await first.set(rule("* * * * *", { name: "every-minute" }), "task");
      const second = await scene.lead();
      scene.now = start + minute;
      await scene.untilTicked(first, "every-minute", start + minute);
      first.close();
      scene.now = start + 2 * minute;
      await waitFor(async () => (await scene.created()).length >= 2, 5_000, "the second tick");
      second.close();
      const third = await scene.lead();
      scene.now = start + 30_000;
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      scene.now = start + 3 * minute;
      await scene.untilTicked(third, "every-minute", start + 3 * minute);
      assert.deepEqual(await scene.created(), [tick(1), tick(2), tick(3)]);
    }),
  );

  test(
    "a leader that died between the run and its note fires nothing twice, and goes on",
    inCronScene(async (scene) => {
      const first = await scene.lead();
      await first.set(rule("* * * * *", { name: "every-minute", catchUp: "all" }), "task");
      first.close();
      // What it had stored of the tick before it died: the run alone.
      const before = await scene.lead();
      scene.now = start + minute;
      await scene.untilTicked(before, "every-minute", start + minute);
      before.close();
      const definitions = new Definitions(await scene.nats.link(), new Subjects("test"));
      const key = `cron.${Buffer.from("every-minute").toString("base64url")}`;
      await definitions.put(key, { ...((await definitions.get(key)) as object), lastTick: start });
      const next = await scene.lead();
      scene.now = start + 2 * minute;
      await scene.untilTicked(next, "every-minute", start + 2 * minute);
      assert.deepEqual(await scene.created(), [tick(1), tick(2)]);
    }),
  );

  for (const lastTick of [start + 3_600_000, 1e300])
    test(
      `a last tick of the future (${lastTick}), written by a wrong clock, stops nothing`,
      inCronScene(async (scene) => {
        const first = await scene.lead();
        await first.set(rule("* * * * *", { name: "every-minute" }), "task");
        first.close();
        const definitions = new Definitions(await scene.nats.link(), new Subjects("test"));
        const key = `cron.${Buffer.from("every-minute").toString("base64url")}`;
        await definitions.put(key, { ...((await definitions.get(key)) as object), lastTick });
        const next = await scene.lead();
        assert.equal(next.list().length, 1);
        await scene.untilTicked(next, "every-minute", start);
        scene.now = start + minute;
        await scene.untilTicked(next, "every-minute", start + minute);
        assert.deepEqual(await scene.created(), [tick(1)]);
        assert.match(
          scene.warnings[0]!,
          /every-minute.* in the future, so a clock was wrong; the cron continues from now/,
        );
      }),
    );

  test(
    "a tick whose run was forgotten meanwhile is not created again by a leader that knows an older record",
    inCronScene(async (scene) => {
      const first = await scene.lead();
      await first.set(rule("* * * * *", { name: "every-minute" }), "task");
      const second = await scene.standBy();
      await second.load();
      scene.now = start + minute;
      await scene.untilTicked(first, "every-minute", start + minute);
      await waitFor(async () => (await scene.created()).length === 1, 5_000, "the tick");
      await scene.forgetRuns();
      second.open();
      await scene.untilTicked(second, "every-minute", start + minute);
      assert.deepEqual(await scene.created(), []);
      first.close();
      scene.now = start + 2 * minute;
      await waitFor(async () => (await scene.created()).join() === tick(2), 5_000, "the second tick");
    }),
  );

  test(
    "a leader that died between its claim and the run loses nothing",
    inCronScene(async (scene) => {
      const first = await scene.lead();
      await first.set(rule("* * * * *", { name: "every-minute", catchUp: "none" }), "task");
      first.close();
      const definitions = await scene.definitions();
      const claim = { lastTick: start + minute, firing: { by: "first", ticks: [start + minute] } };
      await definitions.put(everyMinute, { ...((await definitions.get(everyMinute)) as object), ...claim });
      scene.now = start + 5 * minute + 30_000;
      await scene.lead();
      await waitFor(async () => (await scene.created()).join() === tick(1), 5_000, "the claimed tick");
      await waitFor(
        async () => !("firing" in ((await definitions.get(everyMinute)) as object)),
        5_000,
        "the claim to be released",
      );
    }),
  );

  test(
    "a change of leaders that takes minutes misses no tick, as a standby lived through it",
    inCronScene(async (scene) => {
      const first = await scene.lead();
      await first.set(rule("* * * * *", { name: "every-minute", catchUp: "last" }), "task");
      const second = await scene.standBy();
      first.close();
      for (let i = 0; i < 7; i++) scene.pass(30_000);
      await second.load();
      second.open();
      await waitFor(async () => (await scene.created()).length >= 3, 5_000, "all ticks");
      assert.deepEqual((await scene.created()).sort(), [1, 2, 3].map(tick));
    }),
  );

  for (const [catchUp, expected] of [
    ["none", []],
    ["last", [tick(5)]],
    ["all", [1, 2, 3, 4, 5].map(tick)],
  ] as const) {
    test(
      `five minutes without an engine, catchUp "${catchUp}"`,
      inCronScene(async (scene) => {
        const first = await scene.lead();
        await first.set(rule("* * * * *", { name: "every-minute", catchUp }), "task");
        first.close();
        scene.now = start + 5 * minute + 30_000;
        const next = await scene.lead();
        await scene.untilTicked(next, "every-minute", start + 5 * minute);
        assert.deepEqual((await scene.created()).sort(), expected);
      }),
    );
  }

  test(
    "a pause outlives the leader, and nothing of it is made up for",
    inCronScene(async (scene) => {
      const first = await scene.lead();
      await first.set(rule("* * * * *", { name: "every-minute", catchUp: "all" }), "task");
      await first.pause("every-minute", true);
      first.close();
      const next = await scene.lead();
      scene.now = start + 5 * minute + 20_000;
      assert.equal(next.list()[0]!.nextTick, undefined);
      await next.pause("every-minute", false);
      scene.now = start + 6 * minute;
      await scene.untilTicked(next, "every-minute", start + 6 * minute);
      assert.deepEqual(await scene.created(), [tick(6)]);
    }),
  );

  test(
    "what code declares goes with the newest registration, also of a later leader; what the API made stays",
    inCronScene(async (scene) => {
      const first = await scene.lead();
      await first.set(rule("0 * * * *", { name: "made" }), "other");
      const names = (crons: Crons) => crons.list().map(({ name }) => name);
      scene.refusals = 2;
      first.declare(registration(1, [rule("* * * * *", { name: "one" }), rule("* * * * *", { name: "two" })]));
      await waitFor(() => names(first).length === 3, 5_000, "both to be declared");
      await assert.rejects(first.delete("one"), /declared by the code of worker "worker"; pause it/);
      await assert.rejects(first.set(rule("* * * * *", { name: "two" }), "task"), /declared by the code/);
      first.declare(registration(2, [rule("* * * * *", { name: "two" })]));
      await waitFor(() => names(first).length === 2, 5_000, "one to be gone");
      first.close();
      const next = await scene.lead();
      // The older process lives on and registers with the new leader.
      next.declare(registration(1, [rule("* * * * *", { name: "one" }), rule("* * * * *", { name: "two" })]));
      next.declare(registration(2, [rule("* * * * *", { name: "two" })]));
      await next.pause("two", true);
      assert.deepEqual(names(next), ["made", "two"]);
      next.declare(registration(3, []));
      await waitFor(() => names(next).join() === "made", 5_000, "two to be gone");
      await assert.rejects(next.pause("nothing", true), /there is no cron named "nothing"; existing ones: made/);
      await next.delete("made");
      assert.deepEqual(names(next), []);
    }),
  );
});
