// New runs of one turn of the event loop travel together.
import assert from "node:assert/strict";
import type { Msg } from "@nats-io/transport-node";
import { bundleOfId } from "../../src/domain/run-id.ts";
import { isBundle, mostBundled, runsOfBundle } from "../../src/wire/bundle-entry.ts";
import { largestCarriedInput } from "../../src/wire/carried-input.ts";
import { decodeRunEntry } from "../../src/wire/run-entry.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import type { Decide } from "./asking/fake-engine.ts";
import { openScene, type Scene } from "./scene.ts";

let server: NatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

const echo: Decide = (_task, input) => ({ kind: "completed", output: input });

/** How many runs each entry holds that is stored from now on. */
function entriesOf(scene: Scene): number[] {
  const sizes: number[] = [];
  const hear = (message: Msg) => {
    const entry = decodeRunEntry(message.data.slice());
    sizes.push(isBundle(entry) ? runsOfBundle(entry).length : 1);
  };
  scene.nc.subscribe(scene.subjects.runs, { callback: (_error, message) => hear(message) });
  return sizes;
}

test("runs that are enqueued together are one entry, up to a limit; one alone is an entry of its own", async () => {
  await using scene = await openScene(server, echo);
  const sizes = entriesOf(scene);
  await scene.nc.flush();
  const task = scene.client.task<number, number>("echo");
  const inputs = Array.from({ length: mostBundled + 3 }, (_, n) => n);
  const runs = await task.enqueueMany(inputs);
  assert.ok(runs.every((run) => run.created));
  assert.equal(new Set(runs.map((run) => run.id)).size, inputs.length);
  assert.deepEqual(
    runs.map((run) => run.id).toSorted(),
    runs.map((run) => run.id),
  );
  await task.enqueue(1);
  await Promise.all([task.run(1), task.run(2), task.enqueue(3)]);
  await scene.nc.flush();
  assert.deepEqual(sizes, [mostBundled, 3, 1, 2, 1], "those that wait name an inbox, the last does not");
  assert.deepEqual(await Promise.all(runs.map((run) => run.result())), inputs);
});

test("what continues together after one message is bundled again, without a timer in between", async () => {
  await using scene = await openScene(server, echo);
  const sizes = entriesOf(scene);
  await scene.nc.flush();
  const task = scene.client.task<number, number>("echo");
  const stored = await task.enqueueMany([1, 2, 3]);
  const chains = stored.map(async (run) => {
    await Promise.resolve();
    await Promise.resolve();
    return task.enqueue(Number(run.id.length));
  });
  await Promise.all(chains);
  await scene.nc.flush();
  assert.deepEqual(sizes, [3, 3]);
});

test("runs that differ in more than their inputs, have ids of their own or are large stay apart", async () => {
  await using scene = await openScene(server, echo);
  const sizes = entriesOf(scene);
  await scene.nc.flush();
  const task = scene.client.task<unknown, unknown>("echo");
  const other = scene.client.task<unknown, unknown>("other");
  await Promise.all([task.enqueue(1), task.enqueue(2, { priority: 2 }), other.enqueue(3), other.enqueue(4)]);
  await task.enqueueMany([1, 2], (n) => ({ id: `own-${n}` }));
  await task.enqueueMany(["x".repeat(largestCarriedInput), "x".repeat(largestCarriedInput)]);
  await task.enqueueMany([1, 2, 3], () => ({ metadata: { same: "for all" } }));
  await scene.nc.flush();
  assert.deepEqual(sizes, [1, 1, 2, 1, 1, 1, 1, 3]);
  assert.equal(scene.engine.runs.size, 11);
});

test("the id of a bundled run names it: a second create returns the first run", async () => {
  await using scene = await openScene(server, echo);
  const task = scene.client.task<number, number>("echo");
  const [first, second] = await task.enqueueMany([1, 2]);
  const again = await task.enqueue(99, { id: second!.id });
  assert.deepEqual([again.created, again.id, await again.result()], [false, second!.id, 2]);
  assert.equal(bundleOfId(first!.id), bundleOfId(second!.id));
  assert.equal(bundleOfId("order-42"), undefined);
  const unknown = first!.id.replace(/^./, "1"); // of the right shape, from another time
  assert.equal((await task.enqueue(3, { id: unknown })).created, true);
  assert.equal((await task.enqueue(4, { id: unknown })).created, false);
});

test("a bundle that is refused rejects every call", async () => {
  await using scene = await openScene(server, echo);
  const task = scene.client.task<number, number>("echo");
  const calls = Promise.allSettled([1, 2, 3].map((n) => task.enqueue(n)));
  await scene.client.close();
  for (const call of await calls) assert.match(String("reason" in call && call.reason), /the publisher was closed/);
  await assert.rejects(task.enqueue(4), /the client was closed/);
});
