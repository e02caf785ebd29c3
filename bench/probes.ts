// Durable methods that time themselves.
import { Durable, type DurableContext, Step, signal, Task, Worker } from "../src/mod.ts";
import { now } from "./adapter.ts";
import { say } from "./process.ts";

/** Asks a parked run to go on, and says when. */
export const Poke = signal("poke");

/** What the methods measured, in milliseconds. */
export const times = {
  step: [] as number[],
  raw: [] as number[],
  early: [] as number[],
  late: [] as number[],
  woken: [] as number[],
};
const result = { n: 1 };
const rawBytes = new Uint8Array(100);
const isFatal = process.argv.includes("fatal");
/** A client of the server without natchet; the process sets it. */
export const plain = { publish: async (_: Uint8Array): Promise<unknown> => undefined };

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

  /** What a parked run is compared with. */
  @Task("hello")
  async hello() {
    say("woken", { at: now() });
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
      await plain.publish(rawBytes);
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
