// What becomes of a batch on its way to a worker.
import assert from "node:assert/strict";
import { parseBatch } from "../../src/domain/batch.ts";
import { silentLog } from "../../src/domain/log.ts";
import { Dispatcher } from "../../src/engine/dispatcher.ts";
import type { Signals } from "../../src/engine/signals.ts";
import type { Leader } from "../../src/leader/leader.ts";
import type { SchedulerEvent } from "../../src/scheduler/events.ts";
import { decodeAssignments } from "../../src/wire/assignment.ts";
import { encodeMessage } from "../../src/wire/messages.ts";
import { Neighbours } from "../../src/wire/neighbours.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { DurableScene, signal } from "../matching/durable/scene.ts";
import { declarationOf, only, Scene } from "../scheduler/scene.ts";
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

test("a batch of which no input can be read is taken back, without a message that could be lost", async () => {
  const scene = new Scene();
  scene.register("w1", 2, ["mail"]);
  scene.create("mail", "a");
  const [command] = only(scene.tick(), "assign");
  const events: SchedulerEvent[] = [];
  const leader = {
    link: { maxPayload: 100_000, nc: { request: () => Promise.reject(new Error("timeout")) } },
    ...{ subjects: new Subjects("test"), neighbours: new Neighbours(), log: silentLog, state: scene.state },
    term: { nextMessage: () => 1 },
    handle: (event: SchedulerEvent) => void events.push(event),
  };
  const payloads = { ofLive: async () => undefined };
  await new Dispatcher(leader as unknown as Leader, payloads, {} as Signals).assign(command!);
  assert.deepEqual(events, [
    { type: "assigned", id: "w1", batch: command!.batch, refused: [0], why: undefined, ahead: 0 },
  ]);
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

test("runs that execute in one call travel in one message if they fit; of others it is said that they go on", async () => {
  const scene = new Scene();
  const policies = { batch: parseBatch({ size: 6, interval: "1s" }, "test")! };
  scene.register("w1", 20, [{ ...declarationOf("single") }, { ...declarationOf("many"), policies }]);
  const input = new Uint8Array(600);
  for (let i = 0; i < 6; i++) scene.create("many", `${i}`, { input });
  const [command] = only(scene.tick(), "assign");
  const send = async (maxPayload: number) => {
    const sent: { readonly goesOn: boolean; readonly runs: number }[] = [];
    const request = async (_: string, data: Uint8Array) => {
      const { assignments, goesOn } = decodeAssignments(data);
      sent.push({ goesOn: goesOn === true, runs: assignments.length });
      return { data: encodeMessage({ epoch: 1, refused: sent.length === 2 ? [0] : [] }) };
    };
    const events: SchedulerEvent[] = [];
    const leader = {
      ...{ link: { maxPayload, nc: { request } }, subjects: new Subjects("test"), neighbours: new Neighbours() },
      ...{
        log: silentLog,
        state: scene.state,
        term: { nextMessage: () => 1 },
        handle: (event: SchedulerEvent) => void events.push(event),
      },
    };
    await new Dispatcher(leader as unknown as Leader, {} as never, {} as never).assign(command!);
    return { sent, refused: events.map((event) => event.type === "assigned" && event.refused) };
  };
  assert.deepEqual(await send(100_000), { sent: [{ goesOn: false, runs: 6 }], refused: [[]] });
  const inParts = [4, 2].map((runs, part) => ({ goesOn: part === 0, runs }));
  assert.deepEqual(await send(1_024 + 4 * 800), { sent: inParts, refused: [[4]] });
});

test("what a worker takes beyond its slots is what its last answer says, if that is a number of runs", async () => {
  const scene = new Scene();
  scene.register("w1", 2, ["mail"]);
  scene.create("mail", "a", { input: new Uint8Array(1) });
  const [command] = only(scene.tick(), "assign");
  const heard = async (ahead: unknown) => {
    const events: SchedulerEvent[] = [];
    const request = async () => ({ data: encodeMessage({ epoch: 1, refused: [], ahead }) });
    const leader = {
      ...{
        link: { maxPayload: 100_000, nc: { request } },
        subjects: new Subjects("test"),
        neighbours: new Neighbours(),
      },
      ...{ log: silentLog, state: scene.state, term: { nextMessage: () => 1 } },
      handle: (event: SchedulerEvent) => void events.push(event),
    };
    await new Dispatcher(leader as unknown as Leader, {} as never, {} as never).assign(command!);
    return events.map((event) => event.type === "assigned" && event.ahead);
  };
  assert.deepEqual(await heard(300), [300]);
  for (const nonsense of [undefined, -1, 0.5, "300", {}]) assert.deepEqual(await heard(nonsense), [0]);
});
