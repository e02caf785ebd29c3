// What changes schedules, in a real bucket.
import assert from "node:assert/strict";
import { type CronOptions, parseCron } from "../../src/domain/cron.ts";
import { StoreUnavailable } from "../../src/domain/errors.ts";
import { silentLog } from "../../src/domain/log.ts";
import { Bucket } from "../../src/leader/bucket.ts";
import { openTerm, type Term } from "../../src/leader/term.ts";
import { RecordStore } from "../../src/nats/record-store.ts";
import { ensureStreams } from "../../src/nats/streams.ts";
import { CronChanges } from "../../src/requests/cron-changes.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import type { Register } from "../../src/wire/worker-messages.ts";
import { inScene } from "../nats/scene.ts";
import { Scene } from "../scheduler/scene.ts";
import { describe, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

const rule = (expression: string, options: CronOptions = {}) => parseCron(expression, "task", options, "test");
const registration = (startedAt: number, crons: readonly object[]) =>
  ({ name: "worker", startedAt, tasks: [{ name: "task", crons }] }) as unknown as Register;

/** Writes that the store refuses first. */
let refusals = 0;

/** An engine that leads now. */
async function lead(
  store: RecordStore,
  term: Term,
): Promise<{ changes: CronChanges; names(): string[]; isPaused(name: string): boolean }> {
  const scene = new Scene({}, "standby");
  const bucket = new Bucket(
    store,
    silentLog,
    () => term,
    () => true,
  );
  const handle = (event: Parameters<Scene["give"]>[0]) => void scene.give(event);
  const { state } = scene;
  const now = () => Date.now();
  const changes = new CronChanges({ bucket, state, term, log: silentLog, now, handle, holdsLease: () => true });
  await changes.load();
  scene.give({ type: "briefed", briefing: { crons: await bucket.crons.all() } });
  scene.give({ type: "lead", epoch: 1, knownWorkers: [] });
  const list = () => scene.state.leadership!.crons.list();
  return {
    changes,
    names: () => list().map(({ name }) => name),
    isPaused: (name) => list().find((cron) => cron.name === name)!.paused,
  };
}

const inBucket = (body: (store: RecordStore, term: Term) => Promise<void>) => () =>
  inScene(async (nats) => {
    const link = await nats.link();
    const subjects = new Subjects("test");
    await nats.run(ensureStreams(link, subjects, { replicas: 1 }));
    const store = new RecordStore(link, subjects);
    const replace = store.replace.bind(store);
    store.replace = (...args) => {
      const refusal = new StoreUnavailable({ operation: "store", reason: "the disk is full" });
      return refusals-- > 0 ? Promise.reject(refusal) : replace(...args);
    };
    await body(store, await nats.run(openTerm(1, silentLog)));
  });

describe("cron changes", () => {
  test(
    "what code declares goes with the newest registration, also of a later leader; what the API made stays",
    inBucket(async (store, term) => {
      const first = await lead(store, term);
      await first.changes.change({ verb: "set", rule: rule("0 * * * *", { name: "made" }), task: "other" });
      refusals = 2;
      const both = [rule("* * * * *", { name: "one" }), rule("* * * * *", { name: "two" })];
      first.changes.declare(registration(1, both));
      await waitFor(() => first.names().length === 3, 20_000, "both to be declared");
      await assert.rejects(
        first.changes.change({ verb: "delete", name: "one" }),
        /declared by the code of worker "worker"; pause it/,
      );
      await assert.rejects(first.changes.change({ verb: "set", rule: both[1]!, task: "task" }), /declared by the code/);
      first.changes.declare(registration(2, [both[1]!]));
      await waitFor(() => first.names().length === 2, 20_000, "one to be gone");
      const next = await lead(store, term);
      // The older process lives on and registers with the new leader.
      next.changes.declare(registration(1, both));
      next.changes.declare(registration(2, [both[1]!]));
      await next.changes.change({ verb: "pause", name: "two" });
      assert.deepEqual(next.names(), ["made", "two"]);
      assert.equal((await lead(store, term)).isPaused("two"), true);
      next.changes.declare(registration(3, []));
      await waitFor(() => next.names().join() === "made", 20_000, "two to be gone");
      await assert.rejects(
        next.changes.change({ verb: "pause", name: "nothing" }),
        /there is no cron named "nothing"; existing ones: made/,
      );
      await next.changes.change({ verb: "delete", name: "made" });
      assert.deepEqual([next.names(), (await lead(store, term)).names()], [[], []]);
    }),
  );

  test(
    "a change is made to what another engine has stored meanwhile",
    inBucket(async (store, term) => {
      const first = await lead(store, term);
      await first.changes.change({ verb: "set", rule: rule("0 * * * *", { name: "shared" }), task: "task" });
      const second = await lead(store, term);
      await first.changes.change({ verb: "set", rule: rule("5 * * * *", { name: "shared" }), task: "task" });
      const paused = await second.changes.change({ verb: "pause", name: "shared" });
      assert.deepEqual([paused.expression, paused.paused], ["5 * * * *", true]);
    }),
  );
});
