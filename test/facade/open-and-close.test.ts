// What workers open is closed, whatever fails beside it.
import assert from "node:assert/strict";
import { checkTask } from "../../src/domain/task.ts";
import { start, type WorkerDefinition, type WorkerNotStarted } from "../../src/mod.ts";
import { testServer } from "../../src/testing/mod.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";

let server: Awaited<ReturnType<typeof testServer>>;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.stop());

const tasks = [{ ...checkTask("t"), handler: () => 1 }];
const options = (namespace: string) => ({ url: server.url, namespace, signals: false, log: "silent" }) as const;

test("start: when one worker cannot be opened, all that was opened by then is closed, its own as well", async () => {
  const said: string[] = [];
  const worker = (name: string, onStart: () => unknown): WorkerDefinition => ({
    ...{ name, slots: 1, labels: {}, tasks },
    onStart,
    onStop: () => said.push(`${name} closed`),
  });
  const cause = new Error("no such table");
  const third = worker("third", async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    throw cause;
  });
  const all = [worker("first", () => {}), worker("second", async () => {}), third];
  await assert.rejects(start(all, options("opening")), (error: WorkerNotStarted) => {
    assert.match(error.message, /worker "third" was not started because its onStart failed: no such table/);
    return error.cause === cause;
  });
  assert.deepEqual(said.sort(), ["first closed", "second closed", "third closed"]);
});

test("stop: an onStop that throws keeps nothing beside it open", async () => {
  const said: string[] = [];
  const worker = (name: string): WorkerDefinition => ({
    ...{ name, slots: 1, labels: {}, tasks },
    onStop: () => {
      said.push(name);
      throw Object.create(null);
    },
  });
  const running = await start([worker("one"), worker("two")], options("closing"));
  await running.stop();
  assert.deepEqual(said.sort(), ["one", "two"]);
});
