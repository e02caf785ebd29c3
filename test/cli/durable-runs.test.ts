// What the command line shows of a durable run, while it goes on and afterwards.
import assert from "node:assert/strict";
import {
  connect,
  Durable,
  type DurableContext,
  type Natchet,
  type Running,
  Step,
  signal,
  start,
  Task,
  Worker,
} from "../../src/mod.ts";
import { testServer } from "../../src/testing/mod.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";
import { CliScene } from "./scene.ts";

const Pay = signal<{ cents: number }>("pay");

@Worker({ name: "shop", slots: 4 })
class Shop {
  @Durable("order") async order(_: unknown, ctx: DurableContext) {
    const reserved = await this.reserve();
    const priced = await ctx.map(ctx.tasks(Shop).price, [1, 2]);
    const paid = await ctx.waitFor(Pay);
    return { reserved, priced, paid };
  }
  @Step() async reserve() {
    return "shelf 7";
  }
  @Durable("patient") async patient() {
    await this.never();
  }
  @Step({ retries: { limit: 9, backoff: "fixed", base: 3_600_000, jitter: 0 } }) async never() {
    throw new Error("the bank is closed");
  }
  @Task("price") async price(n: number) {
    return n * 100;
  }
}

let server: Awaited<ReturnType<typeof testServer>>;
let client: Natchet;
let running: Running;
let cli: CliScene;
beforeAll(async () => {
  server = await testServer();
  running = await start(Shop, { url: server.url, log: "silent", signals: false });
  client = await connect({ url: server.url });
  cli = await CliScene.open("bun", { NATS_URL: server.url });
});
afterAll(async () => {
  await cli[Symbol.asyncDispose]();
  await client.close();
  await running.stop();
  await server.stop();
});
const waiting = async (id: string) => {
  const run = await client.tasks(Shop).order.enqueue({}, { id });
  await waitFor(async () => (await run.status()).waiting?.for === "a signal", 20_000, "the run to wait for its signal");
  return run;
};

test("runs get shows what a durable run has done, what it waits for and its children, also as JSON", async () => {
  const run = await waiting("o1");
  const shown = (await cli.natchet("runs", "get", "order", "o1")).output;
  assert.match(shown, /^waiting +for the signal "pay"$/m);
  assert.match(shown, /^ops +2 done: 1 step, 1 group of children$/m);
  assert.match(shown, /^op 0 +step reserve "shelf 7"$/m);
  assert.match(shown, /^op 1 +children price \[/m);
  assert.match(shown, /^children +2, 2 of them finished; see: natchet runs timeline order o1$/m);
  const json = JSON.parse((await cli.natchet("runs", "get", "order", "o1", "-o", "json")).output);
  assert.deepEqual([json.lap, json.children], [1, { total: 2, finished: 2 }]);
  assert.deepEqual(
    json.ops.map(({ kind, name, outcome }: Record<string, unknown>) => [kind, name, outcome]),
    [
      ["step", "reserve", "value"],
      ["children", "price", "value"],
    ],
  );
  const tree = JSON.parse((await cli.natchet("runs", "timeline", "order", "o1", "-o", "json")).output);
  assert.deepEqual([tree.state, tree.entries.length, tree.moreChildren], ["waiting", 2, 0]);
  assert.deepEqual(
    tree.children.map(({ task, state }: Record<string, unknown>) => `${task} ${state}`),
    ["price completed", "price completed"],
  );
  await run.send(Pay, { cents: 1 });
  await run.result();
  const patient = await client.tasks(Shop).patient.enqueue({ id: "p1" } as never);
  await waitFor(async () => (await patient.status()).state === "waiting", 20_000, "the step to fail");
  const failed = (await cli.natchet("runs", "get", "patient", patient.id)).output;
  assert.match(failed, /^ops +0 done; 1 to be tried again$/m);
  assert.match(failed, /^op 0 +step never failed once, due again 20[^ ]+: the bank is closed$/m);
}, 60_000);

test("runs timeline --follow prints what comes until the run has ended, and ends without noise when it is interrupted", async () => {
  const run = await waiting("o2");
  const [text, json, stopped] = [[], ["-o", "json"], ["-f"]].map((more) =>
    cli.start("runs", "timeline", "order", "o2", ...(more[0] === "-f" ? more : ["--follow", ...more])),
  );
  for (const child of [text!, stopped!])
    await waitFor(() => /order\/o2 {2}waiting: for the signal "pay"/.test(child.output()), 30_000, "the first lines");
  await waitFor(() => json!.output().includes('"children"'), 30_000, "the first lines of JSON");
  stopped!.send("SIGINT");
  await stopped!.exited;
  assert.doesNotMatch(stopped!.output(), /error|at .*\.ts/i);
  await run.send(Pay, { cents: 5 });
  assert.deepEqual([await text!.exited, await json!.exited], [0, 0]);
  const lines = text!.output().trim().split("\n");
  assert.match(lines.at(-2)!, / 2 signal pay +\{"cents":5\} {2}\(turn \d+\)$/);
  assert.equal(lines.at(-1), "order/o2  completed");
  const entries = json!
    .output()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual([entries.length, entries.at(-1).lap, entries.at(-1).value], [3, 1, { cents: 5 }]);
}, 90_000);

test("runs get says why a wait ended in an error, and of an erased run that it is", async () => {
  const run = await waiting("o3");
  await run.cancel("no longer wanted");
  await run.result().catch(() => {});
  assert.match(
    (await cli.natchet("runs", "get", "order", "o3")).output,
    /^op 2 +signal pay cancelled: no longer wanted$/m,
  );
  await run.erase();
  assert.match((await cli.natchet("runs", "get", "order", "o3")).output, /^erased +input, output, /m);
}, 60_000);
