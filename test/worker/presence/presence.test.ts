// How often a worker tells the engine what it holds, on a link that the test answers for.
import assert from "node:assert/strict";
import { Effect, Exit, Scope } from "effect";
import { silentLog } from "../../../src/domain/log.ts";
import { jsonBytes, textOf } from "../../../src/wire/bytes.ts";
import { Subjects } from "../../../src/wire/subjects.ts";
import type { HeldRuns } from "../../../src/worker/held-runs.ts";
import { Lifeline } from "../../../src/worker/presence/lifeline.ts";
import { Presence } from "../../../src/worker/presence/presence.ts";
import type { Self } from "../../../src/worker/self.ts";
import { test } from "../../support/harness.ts";

/** What the engine answers with, if it is there. */
interface Leader {
  epoch: number;
  clock?: number;
  isThere?: boolean;
}

/** A presence on a link whose engine knows it; `said` are the messages to it. */
function sceneOf(parts: Partial<Self> = {}, leader: Leader = { epoch: 1 }) {
  const said: { readonly executing: readonly unknown[] }[] = [];
  let held = 0;
  const request = async (_subject: string, data: Uint8Array) => {
    said.push(JSON.parse(textOf(data)));
    if (leader.isThere === false) throw new Error("no responders");
    await new Promise((resolve) => setTimeout(resolve, 5));
    return { data: jsonBytes({ ...leader, engine: "e", known: true, cancel: [] }) };
  };
  const heard = new Map<string, (error: null, message: { data: Uint8Array }) => void>();
  const subscribe = (
    subject: string,
    { callback }: { callback: (error: null, message: { data: Uint8Array }) => void },
  ) => {
    heard.set(subject, callback);
    return { unsubscribe: () => {} };
  };
  const announceLeader = (epoch: number) =>
    heard.get("natchet.test.epoch")!(null, { data: jsonBytes({ epoch, engine: "e" }) });
  const nc = { request, subscribe };
  const link = { isConnected: () => true, onReconnect: () => () => {}, maxPayload: 1_000_000, nc };
  const executing = () =>
    Array.from({ length: held }, (_, i) => ({ key: `t/${i}`, turn: 1, origin: i + 1, startedAt: 0 }));
  const told = { v: 2, id: "w1", secret: "s", name: "w", slots: 1, labels: {}, runtime: "r", version: "1" };
  const self = {
    ...{ id: "w1", link, subjects: new Subjects("test"), log: silentLog, lifeline: new Lifeline() },
    ...{ isQuiet: false, executing: { size: 0 }, held: { list: executing, stop: () => {}, giveBackLimited: () => {} } },
    description: { secret: "s", now: (quiet: boolean, held: unknown) => ({ ...told, quiet, executing: held }) },
    ...parts,
  };
  const presence = new Presence({ self: self as unknown as Self, tasks: [], heartbeatMs: 4_000 });
  const scope = Scope.makeUnsafe();
  Effect.runSync(Scope.provide(presence.open, scope));
  const close = () => Effect.runPromise(Scope.close(scope, Exit.void));
  return { presence, leader, said, announceLeader, hold: (count: number) => (held += count), close };
}

test("presence: however many things happen at once, one heartbeat is under way, and one tells what came after it", async () => {
  const { presence, said, hold, close } = sceneOf();
  await presence.registered;
  assert.equal(said.length, 1);
  const first = presence.beat();
  await Promise.resolve();
  await Promise.resolve();
  for (let i = 0; i < 1_000; i++) {
    hold(1);
    void presence.beat();
  }
  await first;
  await presence.beat();
  assert.ok(said.length <= 4, `${said.length} messages`);
  assert.equal(said.at(-1)!.executing.length, 1_000);
  await close();
});

test("presence: what comes before the answer to the first registration is refused, and a heartbeat asks for it again at once", async () => {
  const { presence, said, close } = sceneOf({}, { epoch: 1, clock: 1 });
  assert.equal(presence.refusal({ epoch: 1, assignments: [], sentAt: 1 }), "stale");
  await presence.registered;
  await new Promise(setImmediate);
  assert.deepEqual(
    said.map((message) => "tasks" in message),
    [true, false],
  );
  await close();
});

test("presence: a worker that found no engine asks the one that announces itself at once, not after its pause", async () => {
  const turnsUntil = async (isOver: () => boolean) => {
    for (let turns = 0; turns < 50 && !isOver(); turns++) await new Promise(setImmediate);
  };
  for (const turnsBefore of [0, 10]) {
    const { presence, leader, said, announceLeader, close } = sceneOf({}, { epoch: 2, isThere: false });
    await turnsUntil(() => said.length === 1);
    for (let turns = 0; turns < turnsBefore; turns++) await new Promise(setImmediate);
    leader.isThere = true;
    announceLeader(2);
    await turnsUntil(() => said.length === 2);
    assert.equal(said.length, 2, `announced ${turnsBefore} turns after the refusal`);
    await presence.registered;
    await close();
  }
});

test("presence: a process that was stopped for long ends what it must before it says what it has, though it is answered", async () => {
  let now = 0;
  const lifeline = new Lifeline(() => now);
  const order: string[] = [];
  const held = { list: () => [], stop: () => {}, giveBackLimited: () => order.push("stopped") };
  const { presence, said, close } = sceneOf({ lifeline, held: held as unknown as HeldRuns });
  await presence.registered;
  order.length = 0;
  await presence.beat();
  now += 60_000;
  await presence.beat();
  assert.deepEqual(order, ["stopped"]);
  await presence.announce();
  now += 60_000;
  await presence.announce();
  assert.deepEqual(order, ["stopped", "stopped"]);
  assert.equal(said.length, 5);
  await close();
});

test("presence: an epoch of which nobody speaks is believed for ten seconds, then the engine that answers", async () => {
  let now = 1_000_000;
  const lifeline = new Lifeline(() => now);
  const { presence, announceLeader, close } = sceneOf({ lifeline });
  await presence.registered;
  announceLeader(99);
  now += 9_000;
  await Promise.race([presence.announce(), new Promise((resolve) => setTimeout(resolve, 300))]);
  assert.deepEqual([presence.newest, lifeline.epoch], [99, 1]);
  now += 2_000;
  await presence.announce();
  assert.deepEqual([presence.newest, lifeline.epoch, presence.obstacle], [1, 1, undefined]);
  await close();
});

test("presence: when the lease was recreated, what the leader of the lower epoch sends is accepted once the last one is silent", async () => {
  let now = 1_000_000;
  const { presence, leader, close } = sceneOf({ lifeline: new Lifeline(() => now) });
  leader.epoch = 500;
  await presence.announce();
  Object.assign(leader, { epoch: 1, clock: now });
  now += 11_000;
  await presence.announce();
  assert.equal(presence.refusal({ epoch: 1, sentAt: leader.clock, assignments: [] }), undefined);
  await close();
});
