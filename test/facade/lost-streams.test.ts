// An operator deletes the log under a running system: everybody is told, nobody waits without a word, and only who says so gets an empty one.
import assert from "node:assert/strict";
import { connect as connectPlain } from "@nats-io/transport-node";
import { connect, start, Task, Worker } from "../../src/mod.ts";
import { testServer } from "../../src/testing/mod.ts";
import { probe } from "../health/scene.ts";
import { test } from "../support/harness.ts";
import { loginIn } from "../support/login-in.ts";
import { waitFor } from "../support/wait-for.ts";

@Worker({ name: "echo", slots: 2 })
class Echo {
  @Task("echo")
  async echo(n: number) {
    return n;
  }
}

test("a deleted log: callers get an error, probes say it, and with recreate work goes on", async () => {
  await using server = await testServer();
  const options = { url: server.url, signals: false, log: "silent" } as const;
  const running = await start(Echo, { ...options, health: { port: 0, host: "127.0.0.1" } });
  const client = await connect({ url: server.url, log: "silent" });
  const { echo } = client.tasks(Echo);
  assert.equal(await echo.run(1), 1);
  const parked = await client.task("nobody-has-it").enqueue({}, { scheduleTimeout: null });
  const waiting = parked.result();
  const waitFails = assert.rejects(waiting, /StoreUnavailable.*stream NATCHET_default is gone/s);

  const nats = await connectPlain(loginIn(server.url));
  await nats.request("$JS.API.STREAM.DELETE.NATCHET_default");
  await assert.rejects(echo.run(2), /stream NATCHET_default is gone: it was deleted; restore it from a backup/);
  await waitFails;
  const { status, body } = await probe(running.healthUrl, "/ready");
  assert.equal(status, 503);
  assert.match(body.because[0], /worker "echo": since .* stream NATCHET_default is gone/);
  assert.equal((await probe(running.healthUrl, "/live")).status, 200);
  await assert.rejects(start(Echo, options), /it was deleted; restore it/);

  const renewing = await start(Echo, { ...options, recreate: true });
  assert.equal(await renewing.client().tasks(Echo).echo.run(3), 3);
  await waitFor(async () => (await probe(running.healthUrl, "/ready")).status === 200, 20_000, "readiness");
  assert.equal(await echo.run(4), 4);
  await nats.close();
  await client.close();
  await Promise.all([running.stop(), renewing.stop()]);
}, 60_000);
