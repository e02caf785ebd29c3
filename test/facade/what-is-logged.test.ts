// What a process tells its log, from its first line to its last, through a logger of the program's own.
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Effect } from "effect";
import type { ErrorRecord } from "../../src/domain/error-record.ts";
import { silentLog } from "../../src/domain/log.ts";
import { foldStack } from "../../src/domain/stack.ts";
import { connectTo } from "../../src/facade/session.ts";
import { resolveSettings } from "../../src/facade/settings.ts";
import { Cron, connect, type Log, NatsUnreachable, start, Task, Worker } from "../../src/mod.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { waitFor } from "../support/wait-for.ts";

let server: NatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

function hearing(): { readonly logger: Log; readonly lines: Line[]; heard(message: RegExp): Promise<Line> } {
  const lines: Line[] = [];
  const at =
    (level: string) =>
    (message: string, fields = {}) =>
      void lines.push({ level, message, fields });
  const find = (message: RegExp) => lines.find((line) => message.test(line.message));
  return {
    logger: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") },
    lines,
    heard: async (message) => {
      await waitFor(
        () => find(message) !== undefined,
        30_000,
        () => `${message} among\n${lines.map((line) => line.message).join("\n")}`,
      );
      return find(message)!;
    },
  };
}

@Worker({ name: "mail", slots: 2 })
class Mail {
  @Task("send", { retries: { limit: 1, base: 1 } })
  send() {
    throw new TypeError("no recipient");
  }
  @Task()
  @Cron("0 3 * * *")
  nightly() {}
}

test("start: one line says what it is and where, one what the worker has; failures come with the user's line", async () => {
  const { logger, lines, heard } = hearing();
  const running = await start(Mail, { url: server.url, signals: false, log: "info", logger });
  try {
    await assert.rejects(running.client().tasks(Mail).send.run(undefined, { timeout: "30s" }));
    const [retried, failed] = [await heard(/^run failed, will be retried/), await heard(/^run failed$/)];
    assert.deepEqual([retried.level, failed.level], ["warn", "error"]);
    for (const { fields } of [retried, failed]) {
      assert.equal(fields["worker"], "mail");
      assert.match(String(fields["run"]), /^send\//);
      const error = fields["error"] as ErrorRecord;
      assert.equal(error.message, "no recipient");
      assert.match(foldStack(error.stack)[0]!, /what-is-logged\.test\.ts/);
    }
  } finally {
    await running.stop();
  }
  const told = lines.filter(({ message }) => !message.startsWith("run ")).map(({ message }) => message);
  assert.match(told[0]!, /^natchet \S+ · (bun|deno) \S+ · namespace default · NATS at nats:\/\/127\.0\.0\.1:\d+$/);
  assert.deepEqual(told.slice(1), [
    "worker mail: 2 slots, tasks send, nightly (cron 0 3 * * *)",
    "worker mail is draining",
    "worker mail stopped",
  ]);
});

test("start, connect: a lost connection is told once, and how long it was away", async () => {
  const own = await startNatsServer();
  const [worker, client] = [hearing(), hearing()];
  const running = await start(Mail, { url: own.url, signals: false, log: "warn", logger: worker.logger });
  const natchet = await connect({ url: own.url, log: "warn", logger: client.logger });
  try {
    await own.shutDown();
    for (const { heard } of [worker, client]) await heard(/^the connection to NATS is lost/);
    await own.restart();
    for (const { heard, lines } of [worker, client]) {
      const again = await heard(/^connected to NATS again$/);
      assert.match(String(again.fields["away"]), /^[\d.]+(ms|s|m)/);
      assert.equal(lines.filter(({ message }) => message.includes("connection to NATS is lost")).length, 1);
    }
  } finally {
    await natchet.close();
    await running.stop();
    await own.stop();
  }
});

test("start: what the launcher of the embedded server complains about is told", async () => {
  const home = mkdtempSync(join(tmpdir(), "natchet-launch-"));
  const before = process.env["NATS_URL"];
  const program = join(home, "nats-server");
  writeFileSync(
    program,
    '#!/bin/sh\n[ "$1" = --version ] && { echo "nats-server: v2.15.1"; exit 0; }\necho "no such device" >&2\nexit 3\n',
  );
  chmodSync(program, 0o755);
  mkdirSync(join(home, "home"));
  process.env["NATCHET_NATS_SERVER"] = program;
  delete process.env["NATS_URL"];
  try {
    const connecting = connect({ directory: join(home, "home", ".natchet"), startServer: true, log: "silent" });
    await assert.rejects(connecting, /did not start in .*: no such device; see .*server\.log/);
  } finally {
    delete process.env["NATCHET_NATS_SERVER"];
    if (before !== undefined) process.env["NATS_URL"] = before;
    rmSync(home, { recursive: true, force: true });
  }
});

test("connectTo: an embedded server that has just gone away is waited for, any other refusal is told at once", async () => {
  let tries = 0;
  const connecting = (source: "embedded" | "given") => {
    const found = {
      get url() {
        return ++tries < 4 ? "nats://127.0.0.1:1" : server.url;
      },
      source,
      where: "NATS",
    };
    return connectTo(resolveSettings({ url: server.url }), found, "client", silentLog);
  };
  const link = await Effect.runPromise(Effect.scoped(Effect.map(connecting("embedded"), ({ url }) => url)));
  assert.equal(link, server.url);
  tries = 0;
  await assert.rejects(Effect.runPromise(Effect.scoped(connecting("given"))), NatsUnreachable);
});
