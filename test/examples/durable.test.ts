// The examples with durable methods, whose workers are killed.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent } from "../../examples/agent/agent.ts";
import { Decision, Expenses } from "../../examples/approval/expenses.ts";
import type { Mail } from "../../examples/approval/mail.ts";
import { connect, type Natchet, type RunningEngineProcess, startEngine } from "../../src/mod.ts";
import { startScript } from "../support/child.ts";
import { afterAll, beforeAll, describe, test } from "../support/harness.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { example, outputOf, runtimes } from "./outputs.ts";

describe("examples with durable methods", () => {
  let server: NatsServer;
  let folder: string;
  let engine: RunningEngineProcess;
  let natchet: Natchet;
  const namespace = "durable-examples";
  const startWorker = (path: string, env: Record<string, string> = {}) =>
    startScript("bun", example(path), {
      env: { NATS_URL: server.url, NATCHET_NAMESPACE: namespace, NATCHET_ENGINE: "off", NATCHET_LOG: "warn", ...env },
    });

  beforeAll(async () => {
    server = await startNatsServer();
    folder = await mkdtemp(join(tmpdir(), "natchet-examples-"));
    engine = await startEngine({ url: server.url, namespace, log: "warn" });
    natchet = await connect({ url: server.url, namespace, log: "warn" });
  });
  afterAll(async () => {
    await natchet.close();
    await engine.stop();
    await server.stop();
    await rm(folder, { recursive: true });
  });

  for (const runtime of runtimes) {
    test(`fulfilment: an order goes on over the deaths of its workers, and nothing is done twice, on ${runtime}`, async () => {
      const effects = join(folder, `effects-${runtime}.jsonl`);
      const env = { NATS_URL: server.url, NATCHET_NAMESPACE: `fulfilment-${runtime}`, EFFECTS: effects };
      const output = await outputOf(runtime, "fulfilment/main.ts", { env });
      assert.match(output, /^order 1002: \{"parcel":"parcel-1002","payment":"pay-77"\}$/m);
      assert.match(output, /^order 1001: .*not paid in time$/m);
      const done = output.split("\n").filter((line) => line.startsWith("  "));
      assert.deepEqual(done.filter((line) => line.startsWith("  1002")).sort(), [
        "  1002 reserve cup, saucer",
        "  1002 ship cup, saucer",
      ]);
      assert.deepEqual(done.filter((line) => line.startsWith("  1001")).sort(), [
        "  1001 release teapot",
        "  1001 reserve teapot",
      ]);
    }, 120_000);
  }

  test("approval: a decision that comes after a kill is taken, and whoever did not answer was asked once", async () => {
    const file = join(folder, "mails.jsonl");
    const env = { MAILS: file };
    const first = startWorker("approval/worker.ts", env);
    const { approve } = natchet.tasks(Expenses);
    const run = await approve.enqueue({ who: "ada", cents: 4_200, approvers: ["grace", "linus"], patience: 5_000 });
    const sent = async () => {
      const text = await readFile(file, "utf8").catch(() => "");
      return text.split("\n").flatMap((line) => (line === "" ? [] : [(JSON.parse(line) as Mail).to]));
    };
    await waitFor(async () => (await sent()).includes("grace"), 30_000, "the first mail");
    await first.kill();
    const second = startWorker("approval/worker.ts", env);
    try {
      await waitFor(async () => (await sent()).includes("linus"), 30_000, "the second mail");
      await run.send(Decision, { by: "linus", approved: true });
      assert.deepEqual(await run.result(), { by: "linus", approved: true });
      assert.deepEqual((await sent()).sort(), ["ada", "grace", "linus"]);
    } finally {
      await second.kill();
    }
  }, 120_000);

  test("agent: a conversation over several laps ends with its answer, however often its worker dies", async () => {
    const cities = [
      "Paris",
      "Rome",
      "Oslo",
      "Bern",
      "Lima",
      "Cairo",
      "Delhi",
      "Quito",
      "Accra",
      "Hanoi",
      "Minsk",
      "Tunis",
    ];
    const run = await natchet.tasks(Agent).ask.enqueue({ question: cities.join(", ") });
    for (let kills = 0; kills < 3; kills += 1) {
      const worker = startWorker("agent/worker.ts");
      await waitFor(async () => (await run.status()).state !== "queued", 30_000, "a turn");
      await new Promise((resolve) => setTimeout(resolve, 150 * (kills + 1)));
      await worker.kill();
    }
    const last = startWorker("agent/worker.ts");
    try {
      const people = cities.reduce((sum, city) => sum + city.length * 100_000, 0);
      assert.deepEqual(await run.result(), { answer: people, moves: cities.length });
    } finally {
      await last.kill();
    }
  }, 120_000);
});
