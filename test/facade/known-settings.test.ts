import assert from "node:assert/strict";
import { connect, start, startEngine, Task, Worker } from "../../src/mod.ts";
import { test } from "../support/harness.ts";

@Worker(1)
class Idle {
  @Task("idle")
  idle() {}
}

test("connect, start and startEngine refuse an option that they do not know before anything is opened", async () => {
  const wrong: [Promise<unknown>, RegExp][] = [
    [connect({ nameSpace: "a" } as never), /"nameSpace" is not an option of connect. Did you mean "namespace"\?/],
    [connect({ tls: { cafile: "a" } } as never), /connect: "cafile" is not an option of tls/],
    [start(Idle, { shutdownTimout: "1s" } as never), /Did you mean "shutdownTimeout"\?/],
    [
      start(Idle, { retention: { maxAge: "1d" } } as never),
      /start: "maxAge" is not an option of retention.* count, age/,
    ],
    [start(Idle, { logs: { age: "1d" } } as never), /start: "age" is not an option of logs.* maxAge, maxBytes/],
    [start(Idle, { health: { ports: 1 } } as never), /"ports" is not an option of health. Did you mean "port"\?/],
    [
      startEngine({ shutdown: "1s" } as never),
      /"shutdown" is not an option of startEngine. Did you mean "shutdownTimeout"\?/,
    ],
  ];
  for (const [refused, message] of wrong) await assert.rejects(refused, { name: "TypeError", message });
});

test("start, connect, startEngine: wrong use shows the line of the caller, and a constructor that throws its own", async () => {
  class Undecorated {
    send() {}
  }
  @Worker()
  class Throwing {
    constructor() {
      throw new TypeError("no database");
    }
    @Task() send() {}
  }
  const calls: Record<string, () => Promise<unknown>> = {
    start: () => start(Undecorated),
    options: () => start(Undecorated, { slots: 5 } as never),
    connect: () => connect({ url: "nats://x", log: "loud" as never }),
    startEngine: () => startEngine({ shutdownTimeout: "soon" as never }),
    constructor: () => start(Throwing),
    unreachable: () => connect({ url: "nats://127.0.0.1:1", log: "silent" }),
    notStarted: () => start(Idle, { url: "nats://127.0.0.1:1", log: "silent", signals: false }),
  };
  for (const [name, call] of Object.entries(calls)) {
    const error = await call().then(
      () => assert.fail(name),
      (thrown: Error) => thrown,
    );
    const [first] = error.stack!.split("\n").filter((line: string) => /^\s+at /.test(line));
    assert.match(first!, /known-settings\.test\.ts/, `${name}: ${error.stack}`);
  }
});
