// Three servers, every stream on all of them, and work that flows: the nodes that lead the log and the journals are killed, then all nodes are
// restarted one after the other. No run is lost, none ends twice, every caller gets its result, and a durable run goes on from step to step.
import assert from "node:assert/strict";
import { connect, Durable, type DurableContext, signal, start, Task, Worker } from "../../src/mod.ts";
import { test } from "../support/harness.ts";
import { startNatsCluster } from "../support/nats-cluster.ts";
import { waitFor } from "../support/wait-for.ts";

@Worker({ name: "doubling", slots: 20 })
class Doubling {
  @Task("double", { timeout: "30s", retries: 3 })
  async double(n: number) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return n * 2;
  }
}

const Enough = signal("enough");
const walked: number[] = [];

@Worker({ name: "walking", slots: 2 })
class Walking {
  @Durable("walk") async walk(_: unknown, ctx: DurableContext) {
    const results: number[] = [];
    for (let i = 0; (await ctx.waitFor(Enough, { timeout: "20ms" })) === undefined; i++)
      results.push(await ctx.step("walk", () => walked.push(i)));
    return results;
  }
}

const stream = "NATCHET_default";
const everyMs = 50;
const inOneGo = 5;

test("cluster: a killed stream leader and a rolling restart cost no run and no result", async () => {
  const cluster = await startNatsCluster();
  const options = { url: cluster.url, replicas: 3, signals: false, log: "silent" } as const;
  const workers = [await start(Doubling, options), await start([Doubling, Walking], { ...options, engine: "off" })];
  const standby = await start(Doubling, options);
  const client = await connect({ url: cluster.url, replicas: 3, log: "silent" });
  const { double } = client.tasks(Doubling);
  const ended = new Map<number, number>();
  const failures: unknown[] = [];
  const runs: Promise<void>[] = [];
  const call = async (n: number) => {
    try {
      assert.equal(await double.run(n, { id: `run-${n}` }), n * 2);
      ended.set(n, (ended.get(n) ?? 0) + 1);
    } catch (error) {
      failures.push(error);
    }
  };
  const load = setInterval(() => {
    for (let i = 0; i < inOneGo; i++) runs.push(call(runs.length));
  }, everyMs);
  /** What is stored from now on is worked off as well. */
  const untilItFlows = async () => {
    const from = runs.length;
    await waitFor(
      () => ended.has(from + inOneGo),
      30_000,
      () => `work to flow again: ${failures.join()}`,
    );
  };
  await untilItFlows();
  const walk = await client.tasks(Walking).walk.enqueue({});
  const untilItWalks = () => {
    const from = walked.length;
    return waitFor(() => walked.length > from + 2, 60_000, "the durable run to go on");
  };
  await untilItWalks();

  for (const led of [stream, `${stream}_JOURNAL`]) {
    const leader = await cluster.leaderOf(led);
    await leader.kill();
    await untilItFlows();
    await untilItWalks();
    await leader.restart();
    await cluster.untilInSync(led);
  }

  for (const node of cluster.nodes) {
    await node.shutDown();
    await untilItFlows();
    await untilItWalks();
    await node.restart();
    await cluster.untilInSync(stream);
  }
  clearInterval(load);
  await walk.send(Enough);
  const steps = (await walk.result()) as number[];
  assert.deepEqual(
    [...new Set(walked)],
    steps.map((_, i) => i),
    "each step in its turn",
  );
  assert.equal(new Set(steps).size, steps.length, "each with a result of its own");
  await waitFor(
    () => ended.size === runs.length,
    30_000,
    () => `${runs.length} runs, ended ${ended.size}: ${failures.join()}`,
  );
  assert.deepEqual(failures, []);
  assert.deepEqual([...new Set(ended.values())], [1]);
  const { total, runs: unfinished } = await client.list({ task: "double", state: ["completed"] });
  assert.equal(total, runs.length, JSON.stringify(unfinished[0]));
  await client.close();
  for (const running of [standby, ...workers.reverse()]) await running.stop();
  await cluster.stop();
}, 180_000);
