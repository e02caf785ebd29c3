import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { Effect } from "effect";
import { resolveServer } from "../../src/embedded/resolve.ts";
import { findRunningServer } from "../../src/embedded/running-server.ts";
import { startOrAttach } from "../../src/embedded/server.ts";
import { probeServer } from "../../src/embedded/server-watch.ts";
import { afterAll, describe, test } from "../support/harness.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { addressOf, makeDirectory, removeDirectory, untilGone } from "./member.ts";

// A server that the environment names would be used before any other.
delete process.env.NATS_URL;

const directories: string[] = [];
const directory = () => {
  const made = makeDirectory();
  directories.push(made);
  return made;
};
afterAll(() => directories.forEach(removeDirectory));

/** Resolves, looks at the result while the scope is open, and returns what was said. */
async function resolve(local: string, home: string) {
  const said: string[] = [];
  const log = {
    debug: (message: string) => void said.push(message),
    info: (message: string) => void said.push(message),
    warn: (message: string) => void said.push(message),
  };
  const look = Effect.gen(function* () {
    const server = yield* resolveServer({ local, directory: home, log });
    const info = yield* Effect.promise(() => probeServer(server.url, 2_000));
    return { url: server.url, source: server.source, answers: info !== undefined };
  });
  return { ...(await Effect.runPromise(Effect.scoped(look))), said };
}

describe("resolveServer", () => {
  test("uses the given address as it is", async () => {
    const found = await Effect.runPromise(
      Effect.scoped(resolveServer({ url: "nats://example.com:4222", directory: directory() })),
    );
    assert.deepEqual(found, { url: "nats://example.com:4222", source: "given" });
  });

  test("uses a server on this machine if it is usable", async () => {
    const { url, stop } = await startNatsServer();
    const found = await Effect.runPromise(
      Effect.scoped(resolveServer({ local: url, directory: "/no/such/directory" })),
    );
    assert.deepEqual(found, { url, source: "local" });
    await stop();
  });

  test("starts an embedded server without a word about a port where nobody answers", async () => {
    const home = directory();
    const found = await resolve("nats://127.0.0.1:1", home);
    assert.equal(found.source, "embedded");
    assert.equal(found.answers, true);
    assert.deepEqual(found.said, ["started the embedded nats-server"]);
    await untilGone(addressOf(home).pid, "the server of the scope");
  });

  const unusable = [
    { why: "is older than 2.10.0", info: { version: "2.9.10", jetstream: true } },
    { why: "JetStream is disabled", info: { version: "2.15.1" } },
    { why: "it requires a login", info: { version: "2.15.1", jetstream: true, auth_required: true } },
    { why: "it requires TLS", info: { version: "2.15.1", jetstream: true, tls_required: true } },
  ];
  for (const { why, info } of unusable) {
    test(`passes over a server of which ${why}, and says so`, async () => {
      // Only the greeting is imitated: versions this old and logins cannot be had otherwise.
      const greeter = createServer((socket) => socket.end(`INFO ${JSON.stringify({ server_id: "X", ...info })}\r\n`));
      await new Promise<void>((listening) => greeter.listen(0, "127.0.0.1", listening));
      const found = await resolve(`nats://127.0.0.1:${(greeter.address() as AddressInfo).port}`, directory());
      greeter.close();
      assert.equal(found.source, "embedded");
      assert.equal(found.said.filter((line) => line.includes("not using the server") && line.includes(why)).length, 1);
    });
  }

  test("gives up on a port that accepts and stays silent", async () => {
    const mute = createServer(() => {});
    await new Promise<void>((listening) => mute.listen(0, "127.0.0.1", listening));
    const from = performance.now();
    assert.equal(await probeServer(`nats://127.0.0.1:${(mute.address() as AddressInfo).port}`, 300), undefined);
    assert.ok(performance.now() - from < 2_000);
    mute.close();
  });
});

describe("findRunningServer", () => {
  const nobody = "nats://127.0.0.1:1";
  const notRunning = { name: "ServerNotRunning", message: /none at nats:\/\/127\.0\.0\.1:4222, and none in / };

  test("finds the embedded server of a directory while it runs, and starts none", async () => {
    const home = directory();
    await assert.rejects(findRunningServer(home, nobody), notRunning);
    const use = Effect.gen(function* () {
      const { url } = yield* startOrAttach({ directory: home });
      return { url, found: yield* Effect.promise(() => findRunningServer(home, nobody)) };
    });
    const { url, found } = await Effect.runPromise(Effect.scoped(use));
    assert.deepEqual(found, { url, source: "embedded" });
    await untilGone(addressOf(home).pid, "the server of the scope");
    await assert.rejects(findRunningServer(home, nobody), notRunning);
  });

  test("says why a server on this machine is passed over", async () => {
    const { url, stop } = await startNatsServer({ args: ["--user", "ada", "--pass", "secret"] });
    const message = /the one at nats:\/\/127\.0\.0\.1:4222 is not used \(it requires a login\), and none in /;
    await assert.rejects(findRunningServer("/no/such/directory", url), { message });
    const resolving = Effect.scoped(resolveServer({ local: url, directory: directory(), mayStart: false }));
    await assert.rejects(Effect.runPromise(resolving), { message });
    await stop();
  });

  test("prefers a usable server on this machine", async () => {
    const { url, stop } = await startNatsServer();
    assert.deepEqual(await findRunningServer("/no/such/directory", url), { url, source: "local" });
    await stop();
  });
});
