// What becomes of a batch on its way to a worker.
import assert from "node:assert/strict";
import { silentLog } from "../../src/domain/log.ts";
import { Dispatcher } from "../../src/engine/dispatcher.ts";
import type { Signals } from "../../src/engine/signals.ts";
import type { Leader } from "../../src/leader/leader.ts";
import type { SchedulerEvent } from "../../src/scheduler/events.ts";
import { Neighbours } from "../../src/wire/neighbours.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { DurableScene, signal } from "../matching/durable/scene.ts";
import { only, Scene } from "../scheduler/scene.ts";
import { test } from "../support/harness.ts";

test("a batch whose worker was given up while its inputs were read is taken back, and sent to nobody", async () => {
  const scene = new Scene();
  scene.register("w1", 2, ["mail"]);
  for (const id of ["a", "b"]) scene.create("mail", id);
  const [command] = only(scene.tick(), "assign");
  const sent: string[] = [];
  const events: SchedulerEvent[] = [];
  const batch = command!.batch;
  const payloads = {
    ofLive: async () => {
      scene.give({ type: "unacknowledged", id: "w1", batch });
      return new Uint8Array(1);
    },
  };
  const leader = {
    link: {
      maxPayload: 100_000,
      nc: { request: (subject: string) => Promise.reject(new Error(`${sent.push(subject)}`)) },
    },
    subjects: new Subjects("test"),
    neighbours: new Neighbours(),
    log: silentLog,
    state: scene.state,
    handle: (event: SchedulerEvent) => void events.push(event),
  };
  await new Dispatcher(leader as unknown as Leader, payloads, {} as Signals).assign(command!);
  assert.deepEqual(sent, []);
  assert.deepEqual(events, [{ type: "assigned", id: "w1", batch, refused: [0, 1] }]);
});

test("a batch whose signals cannot be read is taken back, and nothing of it is lost", async () => {
  const scene = new DurableScene();
  scene.staff();
  const key = scene.parked("a", [signal(0, "x")]);
  scene.signal(key, "x");
  const [command] = only(scene.tick(), "assign");
  const events: SchedulerEvent[] = [];
  const signals = { withData: async () => undefined };
  const leader = { log: silentLog, handle: (event: SchedulerEvent) => void events.push(event) };
  await new Dispatcher(leader as unknown as Leader, {} as never, signals).assign(command!);
  assert.deepEqual(events, [{ type: "assigned", id: "w1", batch: command!.batch, refused: [0] }]);
});
