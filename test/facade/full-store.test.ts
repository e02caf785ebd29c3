// The server's own limit is reached by runs that wait, while no engine is there to refuse them: what they have left of the room, and the reserve, must be
// enough to work them off; and when there is room again, everything goes on by itself.
import assert from "node:assert/strict";
import { connect, QueueFull, type RunHandle, start, Task, Worker } from "../../src/mod.ts";
import { probe } from "../health/scene.ts";
import { test } from "../support/harness.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { waitFor } from "../support/wait-for.ts";

let executed = 0;

@Worker({ name: "small", slots: 5 })
class Small {
  @Task("work", { scheduleTimeout: null })
  async work(_: string) {
    executed += 1;
    return "done";
  }
}

test("a server without room: the reserve lets what waits be worked off, new runs are refused until there is room", async () => {
  const server = await startNatsServer({ config: "jetstream { max_file_store: 12MB }" });
  const client = await connect({ url: server.url, log: "silent" });
  const { work } = client.tasks(Small);
  const input = "x".repeat(20_000);
  const runs: RunHandle[] = [];
  const refusal = async (): Promise<unknown> => {
    for (;;) {
      try {
        runs.push(await work.enqueue(input));
      } catch (error) {
        return error;
      }
    }
  };
  assert.ok((await refusal()) instanceof QueueFull);
  assert.ok(runs.length > 100);

  const options = { url: server.url, signals: false, log: "silent", retention: { count: 0 } } as const;
  const running = await start(Small, { ...options, health: { port: 0, host: "127.0.0.1" } });
  const isUnready = async () => {
    const { status, body } = await probe(running.healthUrl, "/ready");
    return status === 503 && /the server is out of storage/.test(body.because[0]);
  };
  await waitFor(isUnready, 10_000, "the probe to say it");
  await assert.rejects(work.enqueue(input), /accepts no new runs: the server is out of storage/);
  await waitFor(
    () => executed === runs.length,
    20_000,
    () => `${runs.length} runs, executed ${executed}`,
  );

  // Finished runs are forgotten, and their entries purged.
  const isTaken = () =>
    work.run("").then(
      (output) => output === "done",
      () => false,
    );
  await waitFor(isTaken, 30_000, "new runs to be taken again");
  await waitFor(async () => (await probe(running.healthUrl, "/ready")).status === 200, 10_000, "readiness");
  await client.close();
  await running.stop();
  await server.stop();
}, 90_000);
