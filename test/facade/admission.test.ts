// A log that reaches `maxBytes`: new runs are refused with a clear error, also to clients that come later; what is stored is not lost.
import assert from "node:assert/strict";
import { connect, QueueFull, start, Task, Worker } from "../../src/mod.ts";
import { testServer } from "../../src/testing/mod.ts";
import { test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

@Worker(5)
class Idle {
  @Task("idle")
  async idle() {
    return "done";
  }
}

test("at maxBytes new runs are refused, also to a new client, and a leader without a limit takes them again", async () => {
  await using server = await testServer();
  const options = {
    url: server.url,
    maxBytes: 1_000_000,
    retention: { count: 0 },
    signals: false,
    log: "silent",
  } as const;
  const running = await start(Idle, options);
  const client = await connect({ url: server.url });
  const parked = client.task<string>("nobody-has-it");
  const ids: string[] = [];
  const isRefused = async () => {
    try {
      ids.push((await parked.enqueue("x".repeat(100_000), { scheduleTimeout: null })).id);
      return false;
    } catch (error) {
      assert.ok(error instanceof QueueFull, String(error));
      assert.match(error.message, /accepts no new runs: \d+ bytes are stored, the limit is 1000000/);
      return true;
    }
  };
  await waitFor(isRefused, 20_000, "a run to be refused");
  const late = await connect({ url: server.url });
  await waitFor(
    () =>
      late
        .task("idle")
        .enqueue({})
        .then(
          () => false,
          (error) => error instanceof QueueFull,
        ),
    20_000,
    "a new client to be refused",
  );
  const { cancelled } = await client.cancel({ task: "nobody-has-it" });
  assert.equal(cancelled.length, ids.length);
  await running.stop();
  const unlimited = await start(Idle, { url: server.url, signals: false, log: "silent" });
  const isTaken = () =>
    late
      .task("idle")
      .run({})
      .then(
        (output) => output === "done",
        () => false,
      );
  await waitFor(isTaken, 10_000, "a run to be taken by a leader without a limit");
  await late.close();
  await client.close();
  await unlimited.stop();
}, 60_000);
