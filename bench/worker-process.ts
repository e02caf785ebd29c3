// The worker process of the benchmark: `<adapter> <url> <slots> <workload> [held]`. It counts what it really executes.
import { type Handle, loadAdapter, now } from "./adapter.ts";
import { indexOf } from "./inputs.ts";
import { commands, say } from "./process.ts";
import { workloadFrom } from "./workload.ts";

const [path = "", url = "", slots = "", given, held] = process.argv.slice(2);
const workload = workloadFrom(given);
const { waitMs, failOneIn, lines = 0, echoes = false } = workload;

/** How often each run was executed, by its index. */
let counts = new Uint8Array(1 << 17);
let latencies = new Float32Array(1 << 17);
let executed = 0;
let sampled = 0;
let firstAt = 0;
let lastAt = 0;
let gate = held === undefined ? undefined : Promise.withResolvers<void>();

const handle: Handle = async (input, { attempt, log }) => {
  const at = now();
  const index = indexOf(input);
  if (failOneIn !== undefined && attempt === 1 && index % failOneIn === 0) throw new Error("fails once, as told");
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
  for (let line = 0; line < lines; line += 1) await log(`line ${line} of run ${input.n}`);
  if (waitMs !== undefined) await new Promise((resolve) => setTimeout(resolve, waitMs));
  if (gate !== undefined) await gate.promise;
  return echoes ? { n: input.n, text: input.text } : { n: input.n };
};
const worker = await (await loadAdapter(path)).work(url, Number(slots), handle, workload);
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
