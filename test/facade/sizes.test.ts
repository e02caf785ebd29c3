// What a worker says of itself, and the runs that it holds, have no size that a message could not take.
import assert from "node:assert/strict";
import { checkTask } from "../../src/domain/task.ts";
import { connect, start } from "../../src/mod.ts";
import { test } from "../support/harness.ts";
import { startNatsServer } from "../support/nats-server.ts";

test("a worker with more tasks, and more runs at once, than a message takes registers and fills its slots", async () => {
  const server = await startNatsServer({ config: "max_payload: 32768" });
  const slots = 600;
  let executing = 0;
  const [allExecute, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const hold = async () => {
    if (++executing === slots) allExecute.resolve();
    await released.promise;
  };
  const tasks = Array.from({ length: 400 }, (_, i) => ({ ...checkTask(`task-${i}`), handler: hold }));
  const definition = { name: "many", slots, labels: {}, middleware: [], tasks };
  const options = { url: server.url, log: "silent", signals: false } as const;
  const running = await start(definition, options);
  const client = await connect({ url: server.url });
  const runs = await Promise.all(Array.from({ length: slots }, () => client.task("task-399").enqueue()));
  await allExecute.promise;
  assert.equal((await client.workers())[0]!.busy, slots);
  assert.deepEqual(
    (await client.workers())[0]!.tasks,
    tasks.map(({ name }) => name),
  );
  released.resolve();
  await Promise.all(runs.map((run) => run.result()));
  await client.close();
  await running.stop();
  await server.stop();
});
