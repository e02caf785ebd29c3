import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectAlone } from "../../src/client.ts";
import { connect, type Running, ServerNotRunning, start, Task, Worker } from "../../src/mod.ts";
import { test } from "../support/harness.ts";

@Worker({ name: "greeter" })
class GreetWorker {
  @Task() async greet(name: string) {
    return `hello ${name}`;
  }
}

test("connect of natchet/client waits for a server that is started beside it, and tells that it waits", async () => {
  const folder = mkdtempSync(join(tmpdir(), "natchet-beside-"));
  const directory = join(folder, ".natchet");
  const told = Promise.withResolvers<string>();
  const ignore = () => {};
  const logger = { debug: ignore, info: ignore, error: ignore, warn: (line: string) => told.resolve(line) };
  const connecting = connectAlone({ directory, logger });
  let worker: Running | undefined;
  try {
    assert.match(await told.promise, /^waiting for a server: no NATS server is running: .* start a worker there/);
    assert.ok(!existsSync(directory), "it makes no directory");
    worker = await start(GreetWorker, { directory, signals: false, log: "error" });
    const natchet = await connecting;
    assert.equal(await natchet.tasks<GreetWorker>().greet.run("Ada"), "hello Ada");
    await natchet.close();
  } finally {
    await worker?.stop();
    await connecting.then((natchet) => natchet.close()).catch(ignore);
    rmSync(folder, { recursive: true, force: true });
  }
}, 60_000);

test("connect starts a server where none is running, and a worker of the same directory finds what was enqueued", async () => {
  const folder = mkdtempSync(join(tmpdir(), "natchet-first-"));
  const directory = join(folder, ".natchet");
  const natchet = await connect({ directory, log: "error" });
  let worker: Running | undefined;
  try {
    const run = await natchet.tasks(GreetWorker).greet.enqueue("Ada");
    worker = await start(GreetWorker, { directory, signals: false, log: "error" });
    assert.equal(await run.result(), "hello Ada");
  } finally {
    await worker?.stop();
    await natchet.close();
    rmSync(folder, { recursive: true, force: true });
  }
}, 60_000);

test("connect gives up where it may start no server, with the line of the caller", async () => {
  const directory = join(tmpdir(), "natchet-nobody-here", ".natchet");
  const refused = (error: Error): boolean => {
    assert.ok(error instanceof ServerNotRunning);
    assert.match(error.stack!, /awaited-server\.test\.ts/);
    return true;
  };
  await Promise.all([
    assert.rejects(connect({ directory, startServer: false, log: "silent" }), refused),
    assert.rejects(connectAlone({ directory, log: "silent" }), refused),
  ]);
  assert.ok(!existsSync(directory));
}, 60_000);

test("connect of natchet/client refuses to start a server", async () => {
  await assert.rejects(connectAlone({ startServer: true }), { name: "TypeError", message: /cannot start a server/ });
});
