// The probes of a real process: ready only while it can receive work, live until only a restart helps, and figures that are true.
import assert from "node:assert/strict";
import {
  connect,
  HealthPortUnavailable,
  type Natchet,
  type StartOptions,
  start,
  startEngine,
  Task,
  type TaskContext,
  Worker,
} from "../../src/mod.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { freePort, probe, sample } from "./scene.ts";

let release = () => {};

@Worker({ name: "watched", slots: 2 })
class Watched {
  @Task("add")
  async add(input: { a: number; b: number }) {
    return input.a + input.b;
  }

  @Task("flaky", { retries: { limit: 1, base: 1 } })
  async flaky() {
    throw new Error("never works");
  }

  @Task("held")
  async held(_input: unknown, ctx: TaskContext) {
    await new Promise<void>((resolve) => {
      release = resolve;
      if (ctx.metadata["deaf"] !== "yes") ctx.signal.addEventListener("abort", () => resolve());
    });
  }
}

let server: NatsServer;
let client: Natchet;
beforeAll(async () => {
  server = await startNatsServer();
  client = await connect({ url: server.url });
});
afterAll(async () => {
  await client.close();
  await server.stop();
});

const begin = (options: StartOptions = {}) =>
  start(Watched, {
    url: server.url,
    log: "silent",
    signals: false,
    health: { port: 0, host: "127.0.0.1" },
    ...options,
  });

const notReady = (url: string | undefined, because: RegExp) => async () => {
  const { status, body } = await probe(url, "/ready");
  return status === 503 && because.test(body.because.join());
};
const ready = (url: string | undefined) => async () => (await probe(url, "/ready")).status === 200;

test("health: a registered worker is ready and live, and the figures count what it does", async () => {
  const { healthUrl, workers, stop } = await begin();
  const { status, body } = await probe(healthUrl, "/ready");
  assert.equal(status, 200);
  assert.deepEqual(
    { ...body, workers: body.workers.length, worker: body.workers[0] },
    {
      ready: true,
      because: [],
      engine: "leading",
      workers: 1,
      worker: { name: "watched", id: workers[0]!.id, ready: true, slots: 2, used: 0 },
    },
  );
  assert.deepEqual(await probe(healthUrl, "/live"), { status: 200, body: { live: true, because: [] } });

  assert.equal(await client.task("add").run({ a: 1, b: 2 }), 3);
  await assert.rejects(client.task("flaky").run(), /never works/);
  const held = await client.task("held").enqueue();
  await waitFor(
    async () => (await sample(healthUrl, 'natchet_worker_slots_used{worker="watched"}')) === 1,
    20_000,
    "held",
  );
  assert.equal(await sample(healthUrl, 'natchet_queue_runs{task="held",state="running"}'), 1);
  assert.equal(await sample(healthUrl, 'natchet_worker_runs_held{worker="watched"}'), 1);
  await held.cancel();
  const ended = (task: string, outcome: string) =>
    sample(healthUrl, `natchet_attempts_ended_total{worker="watched",task="${task}",outcome="${outcome}"}`);
  await waitFor(async () => (await ended("held", "cancelled")) === 1, 20_000, "the cancelled run");
  assert.deepEqual(
    [await ended("add", "completed"), await ended("flaky", "retry"), await ended("flaky", "failed")],
    [1, 1, 1],
  );
  const flaky = 'worker="watched",task="flaky"';
  assert.equal(await sample(healthUrl, `natchet_attempts_started_total{${flaky}}`), 2);
  assert.equal(await sample(healthUrl, `natchet_attempt_duration_seconds_bucket{${flaky},le="+Inf"}`), 2);
  assert.equal(await sample(healthUrl, `natchet_attempt_duration_seconds_count{${flaky}}`), 2);
  assert.equal(await sample(healthUrl, "natchet_engine_leading"), 1);
  assert.equal(await sample(healthUrl, 'natchet_worker_slots{worker="watched"}'), 2);
  await stop();
  await assert.rejects(fetch(`${healthUrl}/live`));
});

test("health: a draining worker is not ready, and says so until it has gone", async () => {
  const { healthUrl, stop } = await begin();
  await client.task("held").enqueue();
  await waitFor(
    async () => (await sample(healthUrl, 'natchet_worker_slots_used{worker="watched"}')) === 1,
    20_000,
    "held",
  );
  const stopped = stop();
  await waitFor(notReady(healthUrl, /worker "watched": draining/), 20_000, "draining");
  assert.equal((await probe(healthUrl, "/live")).status, 200);
  release();
  await stopped;
});

test("health: what is paused gets no work and is not ready until it is resumed", async () => {
  const { healthUrl, stop } = await begin();
  const pauses: [() => Promise<unknown>, () => Promise<unknown>, RegExp][] = [
    [() => client.pause(), () => client.resume(), /the namespace is paused/],
    [() => client.pause({ worker: "watched" }), () => client.resume({ worker: "watched" }), /"watched": paused/],
  ];
  for (const [pause, resume, because] of pauses) {
    await pause();
    await waitFor(notReady(healthUrl, because), 20_000, String(because));
    await resume();
    await waitFor(ready(healthUrl), 20_000, "resumed");
  }
  await client.pause({ task: "add" });
  await client.pause({ task: "flaky" });
  await waitFor(ready(healthUrl), 20_000, "one task is left");
  await client.pause({ task: "held" });
  await waitFor(notReady(healthUrl, /all its tasks are paused/), 20_000, "no task is left");
  for (const task of ["add", "flaky", "held"]) await client.resume({ task });
  await stop();
});

test("health: without an engine a worker is not ready; it is again when one leads", async () => {
  const port = await freePort();
  const healthUrl = `http://127.0.0.1:${port}`;
  const starting = begin({ engine: "off", health: { port, host: "127.0.0.1" } });
  await waitFor(
    () =>
      fetch(healthUrl).then(
        () => true,
        () => false,
      ),
    10_000,
    "the port",
  );
  assert.equal((await probe(healthUrl, "/ready")).status, 503);
  await waitFor(notReady(healthUrl, /not registered with an engine yet/), 10_000, "nobody leads");
  const first = await startEngine({ url: server.url, log: "silent", signals: false, health: { port: 0 } });
  const { stop } = await starting;
  await waitFor(ready(healthUrl), 20_000, "registered");
  assert.deepEqual((await probe(first.healthUrl, "/ready")).body.because, []);
  await waitFor(async () => (await sample(first.healthUrl, "natchet_engine_leading")) === 1, 20_000, "leading");
  await first.stop();
  await waitFor(notReady(healthUrl, /no engine answers/), 15_000, "the engine is gone");
  assert.equal((await probe(healthUrl, "/live")).status, 200);
  const second = await startEngine({ url: server.url, log: "silent", signals: false });
  await waitFor(ready(healthUrl), 15_000, "the next engine");
  await stop();
  await second.stop();
});

test("health: an outage of NATS is not ready but live; the reconnect is counted", async () => {
  const { healthUrl, stop } = await begin();
  await server.kill();
  await waitFor(notReady(healthUrl, /not connected to NATS/), 10_000, "the outage");
  assert.equal((await probe(healthUrl, "/live")).status, 200);
  assert.equal(await sample(healthUrl, "natchet_connected"), 0);
  await server.restart();
  await waitFor(ready(healthUrl), 30_000, "the reconnect");
  assert.equal(await sample(healthUrl, "natchet_reconnects_total"), 1);
  await stop();
});

test("health: code that ignores its signal shows as a stuck slot", async () => {
  const { healthUrl, workers, stop } = await begin({ shutdownTimeout: "1s" });
  const run = await client.task("held").enqueue(undefined, { metadata: { deaf: "yes" } });
  await waitFor(() => workers[0]!.busy === 1, 10_000, "held");
  await run.cancel();
  const stuck = () => sample(healthUrl, 'natchet_worker_slots_stuck{worker="watched"}');
  await waitFor(async () => (await stuck()) === 1, 15_000, "the grace to end");
  release();
  await waitFor(async () => (await stuck()) === 0, 20_000, "the code to end");
  await stop();
});

test("health: a taken port is refused with a sentence, or waited for", async () => {
  const port = await freePort();
  const health = { port, host: "127.0.0.1" } as const;
  const first = await begin({ health });
  await assert.rejects(
    begin({ health }),
    (error: Error) =>
      error instanceof HealthPortUnavailable &&
      /the health port \d+ on 127.0.0.1 cannot be used: another process listens there; set health.port .* for example/.test(
        error.message,
      ),
  );
  const second = await begin({ health: { ...health, whenTaken: "wait" } });
  assert.equal((await probe(second.healthUrl, "/ready")).body.workers[0].id, first.workers[0]!.id);
  await first.stop();
  await waitFor(
    () =>
      probe(second.healthUrl, "/ready").then(
        ({ body }) => body.workers[0]?.id === second.workers[0]!.id,
        () => false,
      ),
    10_000,
    "the port to be taken over",
  );
  await second.stop();
});

test("health: other paths and methods are answered with what there is; HEAD has no body", async () => {
  const { healthUrl, stop } = await begin();
  assert.deepEqual(await probe(healthUrl, "/"), {
    status: 404,
    body: { error: "/ not found; try /live, /ready or /metrics" },
  });
  assert.equal((await fetch(`${healthUrl}/ready`, { method: "POST", body: "{}" })).status, 405);
  const head = await fetch(`${healthUrl}/ready?probe=1`, { method: "HEAD" });
  assert.deepEqual([head.status, await head.text()], [200, ""]);
  await stop();
});

test("health: nothing is served without a port; a wrong one is refused with the rule and an example", async () => {
  const { healthUrl, stop } = await begin({ health: undefined });
  assert.equal(healthUrl, undefined);
  await stop();
  for (const port of [-1, 65_536, 1.5, "http"] as number[]) {
    await assert.rejects(
      begin({ health: { port } }),
      /RangeError: health.port \(NATCHET_HEALTH_PORT\) must be a whole number from 0 to 65535, not .* for example 8080/,
    );
  }
  await assert.rejects(
    begin({ health: { port: 0, whenTaken: "ask" as "wait" } }),
    /TypeError: health.whenTaken must be one of fail, wait, not "ask"/,
  );
});
