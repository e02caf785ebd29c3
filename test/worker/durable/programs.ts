// Random durable programs: every way to combine promises that users have, each as they would write it.
import { stat } from "node:fs/promises";
import { defineStep } from "../../../src/domain/step.ts";
import type { Frame } from "../../../src/worker/durable/frame.ts";
import { closeAll } from "../../../src/worker/durable/op.ts";
import { openStep } from "../../../src/worker/durable/steps.ts";
import { surroundingOp } from "../../../src/worker/durable/windows.ts";
import { Random } from "../../support/random.ts";

type Leaf = { t: "step" | "sleep" | "signal"; n: string };
export type Node =
  | Leaf
  | { t: "micro" | "foreign"; k: number }
  | { t: "rand" }
  | { t: "seq" | "all" | "settled" | "race" | "any" | "gen" | "thens" | "channel"; c: Node[] }
  | { t: "closing"; c: Leaf[] }
  | { t: "pool" | "sem"; k: number; c: Node[] }
  | { t: "try"; c: Node[]; hasFinally: boolean }
  | { t: "loop"; k: number; c: Node[] }
  | { t: "using" | "if" | "late" | "shared" | "nested"; c: Node[] };

export function programOf(seed: number): Node {
  const random = new Random(seed * 2_654_435_761);
  let budget = seed % 5 === 0 ? random.whole(30, 90) : random.whole(6, 30);
  let names = 0;
  const wait = (): Leaf =>
    random.chance(0.5) ? { t: "sleep", n: String(random.whole(1, 50)) } : { t: "signal", n: `e${random.whole(0, 2)}` };
  const leaf = (): Node => {
    budget -= 1;
    const r = random.next();
    if (r < 0.62) return { t: "step", n: `s${names++ % 7}` };
    if (r < 0.82) return wait();
    return r < 0.94 ? { t: "micro", k: random.whole(1, 5) } : { t: "rand" };
  };
  const many = (depth: number, from: number, to: number) =>
    Array.from({ length: random.whole(from, to) }, () => node(depth - 1));
  const kinds: ((depth: number) => Node)[] = [
    (d) => ({ t: "seq", c: many(d, 2, 4) }),
    (d) => ({ t: "seq", c: many(d, 2, 4) }),
    (d) => ({ t: "all", c: many(d, 2, 4) }),
    (d) => ({ t: "all", c: many(d, 2, 4) }),
    (d) => ({ t: "settled", c: many(d, 2, 3) }),
    (d) => ({ t: "race", c: many(d, 2, 3) }),
    (d) => ({ t: "any", c: many(d, 2, 3) }),
    (d) => ({ t: "gen", c: many(d, 1, 3) }),
    (d) => ({ t: "pool", k: random.whole(1, 3), c: many(d, 2, 6) }),
    (d) => ({ t: "sem", k: random.whole(1, 2), c: many(d, 2, 5) }),
    (d) => ({ t: "try", c: many(d, 3, 3), hasFinally: random.chance(0.6) }),
    (d) => ({ t: "loop", k: random.whole(1, 3), c: many(d, 1, 1) }),
    (d) => ({ t: "using", c: many(d, 2, 2) }),
    (d) => ({ t: "if", c: many(d, 3, 3) }),
    (d) => ({ t: random.chance(0.5) ? "late" : "shared", c: many(d, 2, 2) }),
    (d) => ({ t: random.chance(0.5) ? "thens" : "nested", c: many(d, 1, 3) }),
    (d) => (random.chance(0.5) ? { t: "channel", c: many(d, 2, 4) } : { t: "closing", c: [wait(), wait()] }),
  ];
  const node = (depth: number): Node =>
    depth <= 0 || budget <= 0 || random.chance(0.22) ? leaf() : random.pick(kinds)(depth);
  return { t: "seq", c: [node(4), node(3), node(2)] };
}

/** Where a program is executed, and what it notes. */
export interface Env {
  readonly frame: Frame;
  readonly trace: string[];
  start(ordinal: number): Promise<unknown>;
}

/** What a step that fails throws. */
export class Stop extends Error {
  override readonly name = "Stop";
}

const once = defineStep({ retries: 0 });

export function openLeaf({ t, n }: Leaf, { frame, start }: Env): Promise<any> {
  if (t === "step") return openStep(frame, n, 0, ({ id }) => start(Number(id.split(".").at(-1))), once);
  if (t === "signal") return frame.open("signal", n, 0, {});
  return frame.open("sleep", "", Number(n), { deadline: frame.time + Number(n) * 1_000 });
}

/** Rejects where the program throws. */
export async function execute(node: Node, env: Env): Promise<number> {
  const { trace } = env;
  const around = surroundingOp();
  if (around?.frame !== env.frame) trace.push(around === undefined ? "LOST CONTEXT" : "WRONG CONTEXT");
  return (constructs[node.t] as Construct<any>)(node, env, (child) => execute(child, env));
}

type Construct<N> = (node: N, env: Env, go: (child: Node) => Promise<number>) => Promise<number>;
type OfKind<N, T> = N extends { readonly t: infer U } ? (T extends U ? N : never) : never;
type Constructs = { readonly [T in Node["t"]]: Construct<OfKind<Node, T>> };

async function leafOf(node: Node, env: Env): Promise<number> {
  const leaf = node as Leaf;
  const value = (await openLeaf(leaf, env)) as number | undefined;
  env.trace.push(`${leaf.n}=${value}`);
  return value ?? 0;
}

const constructs = {
  step: leafOf,
  sleep: leafOf,
  signal: leafOf,
  micro: async ({ k }) => {
    for (let i = 0; i < k; i++) await (i % 2 ? Promise.resolve(i) : null);
    return k;
  },
  foreign: async ({ k }, { trace }) => {
    trace.push("reached");
    if (k === 0) await new Promise((done) => setTimeout(done, 0));
    else if (k === 1) await new Promise((done) => setImmediate(done));
    else await stat("/tmp");
    return 1;
  },
  rand: async (_, { frame }) => Math.floor(frame.random() * 10),
  seq: async ({ c }, _, go) => {
    let sum = 0;
    for (const child of c) sum += await go(child);
    return sum;
  },
  all: async ({ c }, _, go) => (await Promise.all(c.map(go))).reduce((a, b) => a * 3 + b, 0),
  settled: async ({ c }, { trace }, go) =>
    (await Promise.allSettled(c.map(go))).reduce((sum, result) => {
      trace.push(result.status === "fulfilled" ? "ok" : String(result.reason));
      return sum * 3 + (result.status === "fulfilled" ? result.value : 7);
    }, 0),
  race: ({ c }, _, go) => Promise.race(c.map(go)),
  any: async ({ c }, { trace }, go) => {
    try {
      return await Promise.any(c.map(go));
    } catch (error) {
      trace.push(`${(error as AggregateError).errors.map(String)}`);
      throw error;
    }
  },
  gen: async ({ c }, { trace }, go) => {
    async function* each() {
      try {
        for (const child of c) yield await go(child);
      } finally {
        trace.push("gen end");
        await null;
      }
    }
    let sum = 0;
    for await (const value of each()) {
      sum += value;
      if (value % 5 === 4) break;
    }
    return sum;
  },
  thens: ({ c }, { trace }, go) =>
    c.reduce<Promise<number>>(
      (before, child) =>
        before.then((sum) => go(child).then((value) => sum + value)).finally(() => void trace.push("f")),
      Promise.resolve(0),
    ),
  nested: ({ c }, _, go) => {
    const inner = async (i: number): Promise<number> => (i === c.length ? 0 : (await go(c[i]!)) + (await inner(i + 1)));
    return inner(0);
  },
  pool: async ({ c, k }, _, go) => {
    let next = 0;
    let sum = 0;
    const lane = async () => {
      for (let i = next++; i < c.length; i = next++) sum = sum * 3 + (await go(c[i]!));
    };
    await Promise.all(Array.from({ length: k }, lane));
    return sum % 1_000;
  },
  sem: async ({ c, k }, _, go) => {
    let free = k;
    let order = 0;
    const waiting: (() => void)[] = [];
    const take = async () => {
      if (free > 0) free -= 1;
      else await new Promise<void>((done) => waiting.push(done));
    };
    const put = () => {
      const first = waiting.shift();
      if (first) first();
      else free += 1;
    };
    const one = async (child: Node) => {
      await take();
      try {
        return (await go(child)) + order++;
      } finally {
        put();
      }
    };
    return (await Promise.all(c.map(one))).reduce((a, b) => a * 2 + b, 0) % 1_000;
  },
  channel: async ({ c }, _, go) => {
    const items: number[] = [];
    let wake: (() => void) | undefined;
    let isClosed = false;
    let failed: unknown;
    const produce = async () => {
      try {
        for (const child of c) {
          items.push(await go(child));
          wake?.();
        }
      } catch (error) {
        failed = error;
      } finally {
        isClosed = true;
        wake?.();
      }
    };
    const produced = produce();
    let sum = 0;
    for (;;) {
      while (items.length > 0) {
        sum = sum * 2 + items.shift()!;
        await null;
      }
      if (isClosed) break;
      await new Promise<void>((done) => {
        wake = done;
      });
      wake = undefined;
    }
    await produced;
    if (failed !== undefined) throw failed;
    return sum % 1_000;
  },
  try: async ({ c, hasFinally }, { trace }, go) => {
    try {
      return await go(c[0]!);
    } catch (error) {
      trace.push(`catch ${(error as Error).name}`);
      return await go(c[1]!);
    } finally {
      if (hasFinally) trace.push(`fin ${await go(c[2]!)}`);
    }
  },
  loop: async ({ c, k }, _, go) => {
    let sum = 0;
    for (let i = 0; i < k; i++) {
      try {
        sum += await go(c[0]!);
      } catch (error) {
        if (i === k - 1) throw error;
        sum += 1;
      }
    }
    return sum;
  },
  using: async ({ c }, { trace }, go) => {
    await using _ = {
      async [Symbol.asyncDispose]() {
        trace.push(`dispose ${await go(c[1]!).catch(String)}`);
      },
    };
    return await go(c[0]!);
  },
  if: async ({ c }, _, go) => ((await go(c[0]!)) % 2 === 0 ? go(c[1]!) : go(c[2]!)),
  late: async ({ c }, _, go) => {
    const early = go(c[0]!);
    early.catch(() => {});
    const value = await go(c[1]!);
    return value + (await early);
  },
  shared: async ({ c }, _, go) => {
    const one = go(c[0]!);
    const both = await Promise.all([one.then((value) => value + 1), (async () => (await one) + (await go(c[1]!)))()]);
    return both[0] + both[1];
  },
  closing: async ({ c }, env) => {
    const ways = c.map((leaf) => openLeaf(leaf as Leaf, env));
    try {
      return ((await Promise.race(ways)) as number | undefined) ?? 0;
    } finally {
      closeAll(ways);
    }
  },
} satisfies Constructs as Constructs;
