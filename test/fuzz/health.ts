// Raw requests at the port of the probes: it answers the next good one, whatever came before.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { Effect, Exit, Scope } from "effect";
import { silentLog } from "../../src/domain/log.ts";
import { serveHealth } from "../../src/health/server.ts";
import { type Fuzzer, mutate, without } from "./fuzzer.ts";

type Requests = readonly Uint8Array[];

const samples = [
  "GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
  "HEAD /ready HTTP/1.1\r\nHost: localhost:80\r\nConnection: keep-alive\r\n\r\n",
  "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
  "GET /%00%ff?a=b#c HTTP/1.0\r\n\r\n",
  "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
].map((text) => new TextEncoder().encode(text));

export const health: Fuzzer<Requests> & { open(): Promise<void>; close(): Promise<void> } = {
  name: "health",
  open,
  close: () => Effect.runPromise(Scope.close(scope!, Exit.void)),
  make: (random) =>
    Array.from({ length: 20 }, () => (random.chance(0.2) ? random.bytes(200) : mutate(random, random.pick(samples)))),
  check: async (requests) => {
    await Promise.all(requests.map((bytes) => say(bytes)));
    assert.match(await say(samples[0]!), /^HTTP\/1\.1 200 /);
  },
  size: (requests) => requests.length,
  smaller: without,
  show: (requests) => JSON.stringify(requests.map((bytes) => new TextDecoder("latin1").decode(bytes))),
};

let scope: Scope.Closeable | undefined;
let port = 0;

async function open(): Promise<void> {
  scope = await Effect.runPromise(Scope.make());
  const settings = { port: 0, host: "127.0.0.1", whenTaken: "fail", longestMs: 50 } as const;
  const served = await Effect.runPromise(Scope.provide(serveHealth(settings, silentLog), scope));
  port = Number(new URL(served.url).port);
}

/** All that comes until the connection is closed, which it is in time. */
function say(bytes: Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = "";
    const late = setTimeout(() => reject(new Error("a connection is still open")), 20_000);
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.on("data", (chunk) => (heard += chunk.toString("latin1")));
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(late);
      resolve(heard);
    });
  });
}
