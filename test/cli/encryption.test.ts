// A command line with keys reads and sends what is encrypted; one without says with which key it is.
import assert from "node:assert/strict";
import { testServer } from "../../src/testing/mod.ts";
import { test } from "../support/harness.ts";
import { CliScene, mod } from "./scene.ts";

const worker = `import { Durable, signal, Task, Worker } from ${JSON.stringify(mod)};
@Worker()
export class Shop {
  @Task("charge", { plain: ["customerId"] }) async charge({ card }: { card: string; customerId: string }) { return { charged: card }; }
  @Durable("fulfil") async fulfil({ card }: { card: string }, ctx: any) {
    await ctx.step("reserve", () => card);
    return { approved: await ctx.waitFor(signal("approve")) };
  }
}
`;
const keys = 'export const encryption = async () => ({ current: "k2", keys: { k2: process.env.TASK_KEY } });\n';

test("natchet --encryption reads and sends with the keys of a module, and without it says which key is needed", async () => {
  const server = await testServer();
  const env = { NATS_URL: server.url, NATCHET_LOG: "silent", TASK_KEY: "ab".repeat(32) };
  await using scene = await CliScene.open("bun", env);
  await scene.write("worker.ts", worker);
  await scene.write("keys.ts", keys);
  await scene.write("nothing.ts", "export const other = 1;\n");
  const natchet = async (...args: readonly string[]) => (await scene.natchet(...args)).output.trim();
  const withKeys = (...args: readonly string[]) => natchet("--encryption", "keys.ts", ...args);
  scene.start("--encryption", "keys.ts", "worker", "worker.ts");

  assert.equal(await withKeys("run", "charge", '{"card":"4111","customerId":"c1"}', "--id", "a"), '{"charged":"4111"}');
  assert.match(await withKeys("runs", "get", "charge", "a"), /^input +\{"card":"4111","customerId":"c1"\}$/m);
  const shown = await natchet("runs", "get", "charge", "a");
  assert.match(shown, /^input +encrypted \(key k2\)$/m);
  assert.match(shown, /^output +encrypted \(key k2\)$/m);
  assert.doesNotMatch(shown, /4111/);

  await withKeys("run", "fulfil", '{"card":"4111"}', "--id", "b", "--no-wait");
  await withKeys("runs", "send", "fulfil", "b", "approve", '{"by":"ann"}');
  assert.equal(await withKeys("run", "fulfil", '{"card":"4111"}', "--id", "b"), '{"approved":{"by":"ann"}}');
  assert.match(
    await withKeys("runs", "timeline", "fulfil", "b"),
    /step reserve +"4111"[\s\S]*signal approve +\{"by":"ann"\}/,
  );
  const outline = await natchet("runs", "timeline", "fulfil", "b");
  assert.match(outline, /step reserve +encrypted .key k2.[\s\S]*signal approve +encrypted .key k2./);
  assert.doesNotMatch(outline, /4111|ann/);

  const wrong = await scene.natchet("--encryption", "nothing.ts", "runs", "list");
  assert.deepEqual([wrong.code, /nothing\.ts exports no "encryption"/.test(wrong.output)], [2, true], wrong.output);
  await using onDeno = await CliScene.open("deno", env);
  await onDeno.write("keys.ts", keys);
  const { output } = await onDeno.natchet("--encryption", "keys.ts", "runs", "get", "charge", "a");
  assert.match(output, /^output +\{"charged":"4111"\}$/m);
  await server.stop();
}, 180_000);
