import assert from "node:assert/strict";
import { type Log, silentLog } from "../../src/domain/log.ts";
import { ServerClock } from "../../src/nats/server-clock.ts";
import { keepServerTime } from "../../src/nats/server-time.ts";
import { ensureStreams } from "../../src/nats/streams.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { test } from "../support/harness.ts";
import { inScene } from "./scene.ts";

const start = 1_700_000_000_000;

/** A machine and a server, each with a clock of its own, and the way between them. */
function pair({ machineAheadMs = 0, thereMs = 0, backMs = 0 } = {}) {
  const world = { time: 5_000, machineAheadMs, serverAheadMs: 0, thereMs, backMs };
  const warnings: string[] = [];
  const log: Log = { ...silentLog, warn: (message) => warnings.push(message) };
  const clock = new ServerClock(
    () => start + world.time + world.machineAheadMs,
    () => world.time,
  );
  const ask = async () => {
    world.time += world.thereMs;
    const server = start + world.time + world.serverAheadMs;
    world.time += world.backMs;
    return server;
  };
  clock.follow({ isConnected: () => true, ask }, log);
  const wrongBy = () => clock.now() - (start + world.time + world.serverAheadMs);
  return { world, clock, warnings, wrongBy };
}

test("server clock: says the server's time, whatever the machine's says, and tells once that they differ", async () => {
  for (const machineAheadMs of [3_600_000, -600_000]) {
    const { world, clock, warnings, wrongBy } = pair({ machineAheadMs });
    assert.equal(await clock.measure(), true);
    assert.ok(Math.abs(wrongBy()) <= 1, `${wrongBy()}`);
    world.time += 20_000;
    await clock.measure();
    const how = machineAheadMs > 0 ? "1h ahead of" : "10m behind";
    assert.deepEqual(warnings, [`this machine's clock is ${how} the NATS server's; natchet goes by the server's`]);
    clock.close();
  }
});

test("server clock: is not moved by a machine's clock that is set", async () => {
  const { world, clock, wrongBy, warnings } = pair();
  await clock.measure();
  world.machineAheadMs = -3_600_000;
  assert.ok(Math.abs(wrongBy()) <= 1);
  await clock.measure();
  assert.ok(Math.abs(wrongBy()) <= 1);
  assert.equal(warnings.length, 1);
  clock.close();
});

test("server clock: is wrong by no more than half of a slow way at first, and keeps what later answers agree with", async () => {
  const { world, clock, wrongBy } = pair({ thereMs: 80, backMs: 0 });
  await clock.measure();
  assert.ok(Math.abs(wrongBy()) <= 41, `${wrongBy()}`);
  const before = clock.now() - world.time;
  Object.assign(world, { thereMs: 100, backMs: 0 });
  await clock.measure();
  assert.ok(Math.abs(clock.now() - world.time - before) <= 1);
  Object.assign(world, { thereMs: 1, backMs: 1 });
  await clock.measure();
  world.time += 100;
  assert.ok(Math.abs(wrongBy()) <= 3, `${wrongBy()}`);
  clock.close();
});

test("server clock: stands still rather than step back a little, and follows a server whose clock was set", async () => {
  const { world, clock, wrongBy } = pair();
  await clock.measure();
  const before = clock.now();
  world.serverAheadMs = -400;
  await clock.measure();
  assert.equal(clock.now(), before);
  world.time += 300;
  assert.equal(clock.now(), before);
  world.time += 200;
  assert.ok(Math.abs(wrongBy()) <= 1);
  world.serverAheadMs = -3_600_000;
  await clock.measure();
  assert.ok(Math.abs(wrongBy()) <= 1);
  clock.close();
});

test("server clock: is not before what the server has stamped, and believes no stamp of the far future", async () => {
  const { clock } = pair();
  await clock.measure();
  const now = clock.now();
  assert.equal(clock.nowAfter(now + 7), now + 7);
  assert.equal(clock.now(), now + 7);
  assert.equal(clock.nowAfter(now + 3_600_000), now + 7);
  clock.close();
});

test("server clock: is the machine's until the server answers, and asks again after an answer that failed", async () => {
  const clock = new ServerClock(
    () => start,
    () => 0,
  );
  assert.equal(clock.now(), start);
  let answers = 0;
  const ask = async () => {
    if (++answers === 1) throw new Error("no answer");
    return start + 60_000;
  };
  clock.follow({ isConnected: () => true, ask }, silentLog);
  assert.equal(await clock.measure(), false);
  assert.equal(clock.now(), start);
  assert.equal(await clock.measure(), true);
  assert.equal(clock.now(), start + 60_000);
  clock.close();
});

test("keepServerTime: a real server says its time", () =>
  inScene(async ({ link, run }) => {
    const one = await link();
    const subjects = new Subjects("test");
    await run(ensureStreams(one, subjects, { replicas: 1 }));
    const warnings: string[] = [];
    await keepServerTime(one, subjects.stream, { ...silentLog, warn: (message) => warnings.push(message) });
    assert.equal(await one.clock.measure(), true);
    assert.ok(Math.abs(one.clock.machineAheadMs) < 500, `${one.clock.machineAheadMs} ms`);
    assert.deepEqual(warnings, []);
  }));
