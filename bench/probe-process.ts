// A worker process of the benchmark with durable methods that time themselves: `<url>`. Runs what it is told to, one run after the other.
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect as connectNats } from "@nats-io/transport-node";
import { connect, Durable, type DurableContext, Step, signal, start, Task, Worker } from "../src/mod.ts";
import { now } from "./adapter.ts";
import { commands, say } from "./process.ts";
import { quantilesOf } from "./statistics.ts";

/** Asks a parked run to go on, and says when. */
export const Poke = signal("poke");

/** Of which step: the early ones of a run, or those behind very many. */
const times = {
  step: [] as number[],
  raw: [] as number[],
  early: [] as number[],
  late: [] as number[],
  woken: [] as number[],
};
const result = { n: 1 };
const rawBytes = new Uint8Array(100);
const [url = ""] = process.argv.slice(2);

@Worker({ name: "probes", slots: 100 })
export class Probes {
  /** Steps and awaited publishes of a plain client, in turns. */
  @Durable("steps")
  async steps({ blocks, size }: { blocks: number; size: number }) {
    for (let block = 0; block < blocks; block += 1) {
      await this.timed(times.step, size);
      await this.publish(size);
    }
  }

  /** After very many steps of this run, again and again some of it and some of a new one. */
  @Durable("many")
  async many({ before, blocks, size }: { before: number; blocks: number; size: number }, ctx: DurableContext) {
    for (let n = 0; n < before; n += 1) await this.nothing();
    for (let block = 0; block < blocks; block += 1) {
      await this.timed(times.late, size);
      await ctx.tasks(Probes).few.run(size);
    }
  }

  @Durable("few")
  async few(size: number) {
    for (let n = 1; n < 10; n += 1) await this.nothing();
    await this.timed(times.early, size);
  }

  /** Waits after some steps, then over and over. */
  @Durable("wait")
  async wait({ steps, waits }: { steps: number; waits: number }, ctx: DurableContext) {
    for (let n = 0; n < steps; n += 1) await this.nothing();
    for (let n = 0; n < waits; n += 1) {
      await ctx.waitFor(Poke);
      say("woken", { at: now() });
    }
  }

  @Durable("sleep")
  async sleep({ sleeps, ms }: { sleeps: number; ms: number }, ctx: DurableContext) {
    for (let n = 0; n < sleeps; n += 1) {
      await this.nothing();
      const dueAt = ctx.now() + ms;
      await ctx.sleep(ms);
      times.woken.push(now() - dueAt);
    }
  }

  @Durable("map")
  async map(count: number, ctx: DurableContext) {
    const items = Array.from({ length: count }, (_, n) => n);
    return (await ctx.map(ctx.tasks(Probes).noop, items)).length;
  }

  @Task("noop", { timeout: "5m" })
  async noop(n: number) {
    return n;
  }

  /** Its first worker does not survive this step. */
  @Durable("killed")
  async killed(_: undefined, ctx: DurableContext) {
    for (let n = 0; n < 10; n += 1) await this.nothing();
    await ctx.step("fatal", async () => {
      say("fatal", { at: now() });
      if (isFatal) await new Promise(() => setInterval(() => {}, 1_000));
    });
  }

  @Step() async nothing() {
    return result;
  }

  @Step({ timeout: "5m" }) async publish(count: number) {
    for (let n = 0; n < count; n += 1) {
      const startedAt = performance.now();
      await raw.publish("raw.probe", rawBytes);
      times.raw.push(performance.now() - startedAt);
    }
  }

  async timed(into: number[], count: number) {
    for (let n = 0; n < count; n += 1) {
      const startedAt = performance.now();
      await this.nothing();
      into.push(performance.now() - startedAt);
    }
  }
}

const isFatal = process.argv.includes("fatal");
const nc = await connectNats({ servers: url });
const raw = jetstream(nc);
const { streams } = await jetstreamManager(nc);
await streams.add({ name: "RAW", subjects: ["raw.>"], storage: "file", max_msgs: 1_000_000 } as never);
const natchet = await connect({ url, log: "warn" });
const worker = await start(Probes, { url, log: "warn", engine: process.argv.includes("apart") ? "off" : "auto" });
say("registered");

const tasks = natchet.tasks(Probes);
for await (const command of commands()) {
  const [name = "", order = "{}"] = command.split(" ");
  if (name === "end") break;
  for (const each of Object.values(times)) each.length = 0;
  const startedAt = performance.now();
  await (tasks as any)[name].run(JSON.parse(order));
  const ms = performance.now() - startedAt;
  say(name, {
    ms,
    ...Object.fromEntries(Object.entries(times).map(([key, values]) => [key, quantilesOf(values).p50])),
  });
}
await worker.stop();
await natchet.close();
await nc.close();
process.exit();
