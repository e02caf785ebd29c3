// The worker process of the benchmark: `<adapter> <url> <slots> [held]`. It counts what it really executes.
import { loadAdapter, now } from "./adapter.ts";
import { indexOf } from "./inputs.ts";
import { commands, say } from "./process.ts";

const [path = "", url = "", slots = "", held] = process.argv.slice(2);

/** How often each run was executed, by its index. */
let counts = new Uint8Array(1 << 17);
let latencies = new Float32Array(1 << 17);
let executed = 0;
let sampled = 0;
let firstAt = 0;
let lastAt = 0;
let gate = held === undefined ? undefined : Promise.withResolvers<void>();

const worker = await (await loadAdapter(path)).work(url, Number(slots), async (input) => {
  const at = now();
  const index = indexOf(input);
  if (index >= counts.length) counts = grown(counts, new Uint8Array(Math.max(index + 1, counts.length * 2)));
  if (sampled === latencies.length) latencies = grown(latencies, new Float32Array(sampled * 2));
  counts[index]! += 1;
  latencies[sampled++] = at - input.sent / 1_000;
  executed += 1;
  lastAt = at;
  if (firstAt === 0) {
    firstAt = at;
    say("first", { at });
  }
  if (gate !== undefined) await gate.promise;
  return { n: input.n };
});
say("registered");

function grown<T extends Uint8Array | Float32Array>(from: T, into: T): T {
  into.set(from);
  return into;
}

const base64 = (array: Uint8Array | Float32Array, length: number) =>
  Buffer.from(array.buffer, 0, length * array.BYTES_PER_ELEMENT).toString("base64");

const answers: Record<string, () => Record<string, unknown>> = {
  count: () => ({ executed, firstAt, lastAt }),
  /** Forgets the times, not the counts. */
  reset() {
    sampled = firstAt = lastAt = 0;
    return {};
  },
  latencies: () => ({ base64: base64(latencies, sampled) }),
  tally: () => ({ base64: base64(counts, counts.length) }),
  /** Keeps every run from ending until `release`. */
  hold() {
    gate ??= Promise.withResolvers();
    return {};
  },
  release() {
    firstAt = 0;
    gate?.resolve();
    gate = undefined;
    return { at: now() };
  },
};

for await (const command of commands()) {
  if (command === "end") break;
  say(command, answers[command]!());
}
await worker.stop();
process.exit();
