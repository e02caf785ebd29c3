// Limits through the public API, with real engines: they hold, they outlive a leader, and a waiting run says what it waits for.
import assert from "node:assert/strict";
import {
  connect,
  type Natchet,
  RunFailed,
  type Running,
  start,
  Task,
  type TaskContext,
  Worker,
} from "../../src/mod.ts";
import { testServer } from "../../src/testing/mod.ts";
import { afterAll, beforeAll, describe, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

let executing: string[] = [];
const most = new Map<string, number>();
let release = Promise.withResolvers<void>();
let starts: { key: string; at: number }[] = [];

@Worker({ name: "limited", slots: 20 })
class Limited {
  @Task("by-user", { concurrency: [{ key: "input.user", max: 2 }, { max: 5 }] })
  async byUser({ user }: { user: string }) {
    executing.push(user);
    most.set(user, Math.max(most.get(user) ?? 0, executing.filter((one) => one === user).length));
    most.set("all", Math.max(most.get("all") ?? 0, executing.length));
    await new Promise((resolve) => setTimeout(resolve, 5));
    executing.splice(executing.indexOf(user), 1);
    return user;
  }

  @Task("one-at-a-time", { concurrency: { key: "metadata.tenant", max: 1 } })
  async oneAtATime() {
    await release.promise;
  }

  @Task("newest", { concurrency: { key: "input.doc", max: 1, strategy: "cancel-in-progress" } })
  async newest(input: { version: number }, ctx: TaskContext) {
    if (input.version === 3) return 3;
    await new Promise((_, reject) => ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason)));
  }

  @Task("limited", { rateLimit: { key: "input.api", limit: 4, per: "3s" } })
  async limited({ api }: { api: string }) {
    starts.push({ key: api, at: Date.now() });
  }
}

let server: Awaited<ReturnType<typeof testServer>>;
let client: Natchet;
let running: Running;
const startWorker = () => start(Limited, { url: server.url, log: "silent", signals: false });

beforeAll(async () => {
  server = await testServer();
  running = await startWorker();
  client = await connect({ url: server.url });
});
afterAll(async () => {
  release.resolve();
  await client.close();
  await running.stop();
  await server.stop();
});

describe("limits", () => {
  test("stacked limits hold under load, and every run completes", async () => {
    executing = [];
    const users = ["a", "b", "c", "d"];
    const inputs = Array.from({ length: 200 }, (_, i) => ({ user: users[i % 4]! }));
    const handles = await client.task("by-user").enqueueMany(inputs);
    await Promise.all(handles.map((handle) => handle.result()));
    for (const user of users) assert.equal(most.get(user), 2);
    assert.equal(most.get("all"), 5);
  });

  test("a waiting run says which limit stops it, and stops no other key", async () => {
    release = Promise.withResolvers();
    const enqueue = (tenant: string) => client.task("one-at-a-time").enqueue({}, { metadata: { tenant } });
    const first = await enqueue("x");
    await waitFor(async () => (await first.status())?.state === "running", 20_000, "the first to run");
    const second = await enqueue("x");
    const other = await enqueue("y");
    await waitFor(async () => (await other.status())?.state === "running", 20_000, "the other key to run");
    assert.deepEqual((await second.status())?.waiting, {
      for: "a concurrency limit",
      because: '1 of 1 allowed runs with metadata.tenant = "x" is executing',
      position: 1,
    });
    release.resolve();
    await Promise.all([first, second, other].map((handle) => handle.result()));
  });

  test("cancel-in-progress: the newest completes, the others are cancelled", async () => {
    const handles = [];
    for (const version of [1, 2, 3]) handles.push(await client.task("newest").enqueue({ doc: "d", version }));
    assert.equal(await handles[2]!.result(), 3);
    for (const handle of handles.slice(0, 2)) {
      await waitFor(
        async () => (await handle.status())?.state === "cancelled",
        20_000,
        "the older one to be cancelled",
      );
      assert.match((await handle.status())!.reason!, /cancel-in-progress/);
    }
  });

  test("a run without its key fails, and says why", async () => {
    await assert.rejects(client.task("by-user").run({}), (error: Error) => {
      assert.ok(error instanceof RunFailed);
      assert.match(error.message, /input\.user: No such key/);
      return true;
    });
  });

  test("no window sees more than the limit, also across a leader that goes; keys do not share", async () => {
    starts = [];
    const enqueue = (api: string, n: number) =>
      client.task("limited").enqueueMany(Array.from({ length: n }, () => ({ api })));
    const handles = [...(await enqueue("one", 10)), ...(await enqueue("two", 4))];
    await waitFor(() => starts.length >= 8, 20_000, "the first of both keys");
    await running.stop();
    running = await startWorker();
    await Promise.all(handles.map((handle) => handle.result()));
    for (const { key, at } of starts) {
      const within = starts.filter((other) => other.key === key && other.at >= at && other.at < at + 2_900);
      assert.ok(within.length <= 4, `${within.length} starts of ${key} within 3 s`);
    }
    assert.equal(starts.length, 14);
  });
});
