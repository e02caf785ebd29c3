// What a caller who waits for long is told: once, for all who wait for the same.
import assert from "node:assert/strict";
import { type LongWait, LongWaits } from "../../../src/client/results/long-waits.ts";
import { EngineUnreachable } from "../../../src/domain/errors.ts";
import { silentLog } from "../../../src/domain/log.ts";
import { describe, test } from "../../support/harness.ts";
import { waitFor } from "../../support/wait-for.ts";

function scene({ isConnected = true, waiting = {} as object | null, tasks = ["send-email", "resize"] } = {}) {
  const told: string[] = [];
  const asked: string[] = [];
  const publisher = { pending: 0, answered: 0 };
  const requests = {
    ask: async (_: "get", { key }: { key: string }) => {
      asked.push(key);
      if (waiting === null) throw new EngineUnreachable({ namespace: "default", reason: "no responders" });
      return { run: { state: "queued", waiting: { for: "a worker", because: "all are busy", ...waiting } } };
    },
    workers: async () => [{ tasks }],
  };
  const link = { isConnected: () => isConnected, namespace: "default" };
  const log = { ...silentLog, warn: (message: string) => void told.push(message) };
  const waits = new LongWaits({ link, publisher, requests, log, server: "NATS at nats://x" } as never);
  return { waits, told, asked, publisher };
}

const waitOf = (key: string, waitedMs = 6_000): LongWait => ({
  key,
  startedAt: performance.now() - waitedMs,
  isTold: false,
});

describe("LongWaits", () => {
  test("says once of 10,000 callers that no worker has their task, which tasks there are, and where", async () => {
    const { waits, told, asked } = scene();
    const many = Array.from({ length: 10_000 }, (_, n) => waitOf(`send/${n}`));
    waits.look(many);
    await waitFor(() => told.length > 0, 20_000, "the line");
    waits.look(many);
    assert.deepEqual(told, [
      'run send/0 is waiting: no worker has the task "send" (did you mean "send-email"?); there are resize, send-email, in namespace "default" on NATS at nats://x',
    ]);
    assert.deepEqual(asked, ["send/0"]);
    assert.ok(many.every(({ isTold }) => isTold));
  });

  test("says what the engine says of a run whose task somebody has", async () => {
    const { waits, told } = scene({ waiting: { for: "a resume", because: 'task "send" is paused' } });
    waits.look([waitOf("send/1")]);
    await waitFor(() => told.length > 0, 20_000, "the line");
    assert.deepEqual(told, ['run send/1 is waiting: task "send" is paused']);
  });

  test("says that nobody works there when no engine answers", async () => {
    const { waits, told } = scene({ waiting: null });
    waits.look([waitOf("send/1"), waitOf("other/1")]);
    await waitFor(() => told.length > 0, 20_000, "the line");
    waits.nobodyAnswers("again");
    assert.equal(told.length, 1);
    assert.match(
      told[0]!,
      /^waiting: no worker or engine is running in namespace "default" on NATS at nats:\/\/x; start a worker there/,
    );
  });

  test("asks nothing for those who have not waited for long, nor while the connection is lost", () => {
    const patient = scene();
    patient.waits.look([waitOf("send/1", 4_000)]);
    const offline = scene({ isConnected: false });
    offline.waits.look([waitOf("send/1")]);
    assert.deepEqual([patient.asked, offline.asked], [[], []]);
  });

  test("says that runs wait to be stored when nothing has been answered for long", () => {
    const { waits, told, publisher } = scene({ isConnected: false });
    waits.lookAtAppends(0);
    publisher.pending = 3;
    waits.lookAtAppends(1_000);
    publisher.answered = 1;
    waits.lookAtAppends(5_000);
    assert.deepEqual(told, [], "something was answered meanwhile");
    waits.lookAtAppends(10_500);
    waits.lookAtAppends(11_500);
    assert.deepEqual(told, [
      "runs have been waiting for 5s to be stored: not connected to NATS; they are stored as soon as it answers",
    ]);
  });
});
