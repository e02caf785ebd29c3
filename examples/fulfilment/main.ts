// An order whose worker is killed twice: while the run waits for its payment, and in the middle of shipping.
// `bun run examples/fulfilment/main.ts` or `deno run -A examples/fulfilment/main.ts`
import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { connect, startEngine } from "../../src/mod.ts";
import { effects } from "./outside.ts";
import { Paid, Shop } from "./shop.ts";

const engine = await startEngine({ log: "warn" });
await using natchet = await connect({ log: "warn" });
const { fulfil } = natchet.tasks(Shop);
const say = (text: string) => console.log(text);

let worker = startWorker();
const unpaid = await fulfil.enqueue({ id: "1001", items: ["teapot"], payWithin: 3_000 });
const order = await fulfil.enqueue({ id: "1002", items: ["cup", "saucer"] });
await until(async () => (await order.status()).state === "waiting");
say("order 1002 waits for its payment");

await kill(worker);
say("worker killed");
await order.send(Paid, { reference: "pay-77" });
say("paid, while no worker is there");

worker = startWorker();
await until(async () => (await effects()).some(({ what }) => what === "ship cup, saucer"));
await kill(worker);
say("worker killed while it shipped");

worker = startWorker();
say(`order 1002: ${JSON.stringify(await order.result())}`);
say(`order 1001: ${await unpaid.result().catch((error: Error) => error.message)}`);
for (const effect of await effects()) say(`  ${effect.order} ${effect.what}`);
await kill(worker);
await engine.stop();

function startWorker(): ChildProcess {
  const runtime = "Deno" in globalThis ? ["run", "-A"] : ["run"];
  const script = fileURLToPath(new URL("./worker.ts", import.meta.url));
  const env = { ...process.env, NATCHET_ENGINE: "off", NATCHET_LOG: "warn" };
  return spawn(process.execPath, [...runtime, script], { stdio: "inherit", env });
}

async function kill(worker: ChildProcess): Promise<void> {
  const exited = new Promise((resolve) => worker.once("exit", resolve));
  worker.kill("SIGKILL");
  await exited;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20);
}
