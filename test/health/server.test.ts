// Who is answered over HTTP: the programs of this machine, in time, and no web page.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { Effect, Exit, Scope } from "effect";
import type { Log } from "../../src/domain/log.ts";
import { healthSettings } from "../../src/facade/health-settings.ts";
import type { HealthSettings } from "../../src/health/health-settings.ts";
import { serveHealth } from "../../src/health/server.ts";
import { test } from "../support/harness.ts";

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

async function serving(settings: Partial<HealthSettings>, body: (port: number) => Promise<void>): Promise<void> {
  const scope = Effect.runSync(Scope.make());
  const opening = serveHealth({ port: 0, host: "127.0.0.1", whenTaken: "fail", ...settings }, silent);
  try {
    const { url } = await Effect.runPromise(Scope.provide(opening, scope));
    await body(Number(new URL(url).port));
  } finally {
    await Effect.runPromise(Scope.close(scope, Exit.void));
  }
}

/** Sends text and resolves with all that comes until the server closes the connection. */
function say(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let heard = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.on("data", (chunk) => (heard += String(chunk)));
    socket.on("error", () => {});
    socket.on("close", () => resolve(heard));
  });
}
const statusFor = async (port: number, host: string | undefined) =>
  (
    await say(
      port,
      `GET /live HTTP/1.${host === undefined ? 0 : 1}\r\n${host === undefined ? "" : `Host: ${host}\r\n`}\r\n`,
    )
  ).slice(9, 12);

test("health: listens on this machine alone unless a host is named", () => {
  assert.deepEqual(healthSettings({ port: 0 }, {}), { port: 0, host: "127.0.0.1", whenTaken: "fail" });
  assert.equal(healthSettings({ port: 0 }, { NATCHET_HEALTH_HOST: "0.0.0.0" })!.host, "0.0.0.0");
  assert.equal(healthSettings({ port: 0, host: "::" }, { NATCHET_HEALTH_HOST: "0.0.0.0" })!.host, "::");
});

// DNS rebinding: a page's own name points at 127.0.0.1, and the browser sends that name.
test("health: on a loopback address only names of this machine are answered, elsewhere all", async () => {
  await serving({}, async (port) => {
    for (const host of [`127.0.0.1:${port}`, "localhost", `app.localhost:${port}`, `[::1]:${port}`, undefined])
      assert.equal(await statusFor(port, host), "200", host ?? "none");
    for (const host of [
      "evil.example",
      `evil.example:${port}`,
      "127.0.0.1.evil.example",
      "localhost.evil.example",
      "10.0.0.1",
    ])
      assert.equal(await statusFor(port, host), "421", host);
  });
  await serving({ host: "0.0.0.0" }, async (port) => assert.equal(await statusFor(port, "worker-7.prod:8080"), "200"));
});

test("health: half a request is cut off, and an answer ends its connection", () =>
  serving({ longestMs: 300 }, async (port) => {
    assert.equal(await say(port, "GET /live HTTP/1.1\r\nHost: localhost\r\n"), "");
    assert.match(await say(port, "GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n"), /connection: close/i);
  }));
