// The disk of the embedded server is full for a while. nats-server would go on storing nothing once there is room: its owner starts it again.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StoreUnavailable, start, Task, Worker } from "../../src/mod.ts";
import { test } from "../support/harness.ts";
import { makeSmallDisk } from "../support/small-disk.ts";
import { waitFor } from "../support/wait-for.ts";

@Worker({ name: "small", slots: 2 })
class Small {
  @Task("work")
  async work(_: string) {
    return "done";
  }
}

test("an embedded server that could not write works again when there is room, by itself", async () => {
  const disk = await makeSmallDisk();
  const directory = join(mkdtempSync(join(tmpdir(), "natchet-full-")), ".natchet");
  const before = process.env.NATCHET_NATS_SERVER;
  process.env.NATCHET_NATS_SERVER = disk.program;
  const running = await start(Small, { directory, signals: false, log: (process.env.SHOW as "info") ?? "silent" });
  const { work } = running.client().tasks(Small);
  assert.equal(await work.run(""), "done");
  const failure = await (async () => {
    for (;;) {
      try {
        await work.enqueue("x".repeat(50_000));
      } catch (error) {
        return error;
      }
    }
  })();
  assert.ok(failure instanceof StoreUnavailable, String(failure));
  disk.grow();
  const isTaken = () =>
    work.run("").then(
      (output) => output === "done",
      () => false,
    );
  await waitFor(isTaken, 40_000, "runs to be taken again");
  await running.stop();
  if (before === undefined) delete process.env.NATCHET_NATS_SERVER;
  else process.env.NATCHET_NATS_SERVER = before;
  disk.remove();
  rmSync(join(directory, ".."), { recursive: true });
}, 90_000);
