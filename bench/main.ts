// Throughput and latency of natchet, and what the server alone could do. `bun run bench` · `bun run bench --once` for a short one
// One client, one engine and one worker process (100 slots), file storage, 100-byte payloads. Ends with 1 if a run was lost or executed twice.
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { findServerBinary } from "../src/nats/embedded/binary.ts";
import { cpuTimeMs } from "./cpu-time.ts";
import { Process } from "./process.ts";
import { measureRawLimit, sampleSizes } from "./raw.ts";
import { startServer } from "./server.ts";

const { values } = parseArgs({
  options: {
    once: { type: "boolean", default: false },
    runs: { type: "string" },
    backlog: { type: "string" },
    samples: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const runs = Number(values.runs ?? (values.once ? 5_000 : 100_000));
const backlog = Number(values.backlog ?? (values.once ? 5_000 : 50_000));
const samples = Number(values.samples ?? (values.once ? 200 : 2_000));

const server = await startServer((await findServerBinary()).path);
const env = { NATS_URL: server.url };
const processes: Process[] = [];
const launch = async (script: string, ready: string) => {
  const started = new Process(script, env);
  processes.push(started);
  await started.next(ready, 30_000);
  return started;
};

try {
  await bench();
} finally {
  await Promise.all(processes.map((each) => each.stop("SIGKILL")));
  await server.stop();
}

async function bench(): Promise<void> {
  const engine = await launch("./engine.ts", "leading");
  const client = await launch("./client.ts", "connected");
  const measure = async (name: string, count = 0) => {
    client.tell(`${name} ${count}`);
    return client.next(name);
  };
  const countOf = async (worker: Process) => {
    worker.tell("count");
    return worker.next("count");
  };

  const worker = await launch("./worker.ts", "registered");
  const warmUp = Math.min(2_000, runs);
  await measure("throughput", warmUp);
  const used = () => ({
    server: cpuTimeMs(server.pid),
    engine: cpuTimeMs(engine.pid),
    worker: cpuTimeMs(worker.pid),
    client: cpuTimeMs(client.pid),
  });
  const before = used();
  const throughput = await measure("throughput", runs);
  const after = used();
  const latency = await measure("latency", samples);
  const first = await countOf(worker);
  await worker.stop();

  const fill = await measure("fill", backlog);
  const second = await launch("./worker.ts", "registered");
  await measure("drain");
  const drained = await countOf(second);

  const sizes = await sampleSizes(server.url);
  // Twice, and the faster counts: it is a limit, and other programs on the machine only lower it.
  const measureRaw = () => measureRawLimit(server.url, Math.max(runs, 20_000), sizes.entryBytes, sizes.outcomeBytes);
  const raw = Math.max(await measureRaw(), await measureRaw());
  const rate = runs / (throughput.ms / 1_000);
  const drainRate = backlog / (drained.spanMs / 1_000);
  const expected = warmUp + runs + samples + backlog;
  const lost =
    expected - first.distinct - drained.distinct + (runs - throughput.completed) + (samples - latency.completed);
  const doubled = first.doubled + drained.doubled;
  const result = {
    cpus: cpus().length,
    runtime: "Bun" in globalThis ? `bun ${process.versions.bun}` : `deno ${process.versions.deno}`,
    runsPerSecond: Math.round(rate),
    latencyP50Ms: round(latency.p50),
    latencyP99Ms: round(latency.p99),
    enqueuesPerSecond: Math.round(backlog / (fill.ms / 1_000)),
    drainPerSecond: Math.round(drainRate),
    rawLimitPerSecond: Math.round(raw),
    runsToRaw: round(rate / raw),
    drainToRaw: round(drainRate / raw),
    cpuMicrosecondsARun: cpuARun(before, after),
    lost,
    doubled,
  };
  console.log(values.json ? JSON.stringify(result) : format(result));
  if (lost !== 0 || doubled !== 0) process.exitCode = 1;
}

type CpuTimes = Record<"server" | "engine" | "worker" | "client", number>;

function cpuARun(before: CpuTimes, after: CpuTimes): string {
  const names = ["server", "engine", "worker", "client"] as const;
  const parts = names.map((name) => `${name} ${Math.round(((after[name] - before[name]) * 1_000) / runs)}`);
  return Number.isNaN(after.server) ? "not known on this system" : parts.join(", ");
}

function format(result: Record<string, string | number>): string {
  const percent = (part: number) => `${Math.round(part * 100)} % of the raw limit`;
  const rows: [string, string][] = [
    ["machine", `${result.cpus} CPUs, ${result.runtime}, all processes on it`],
    ["enqueue + execute", `${result.runsPerSecond} runs/s (${runs} runs, ${percent(Number(result.runsToRaw))})`],
    ["run → result", `p50 ${result.latencyP50Ms} ms, p99 ${result.latencyP99Ms} ms (${samples} runs, one at a time)`],
    ["enqueue only", `${result.enqueuesPerSecond} runs/s`],
    ["drain of a backlog", `${result.drainPerSecond} runs/s (${backlog} runs, ${percent(Number(result.drainToRaw))})`],
    ["raw JetStream limit", `${result.rawLimitPerSecond} runs/s (one create each, one append for 32 outcomes)`],
    ["CPU µs a run", `${result.cpuMicrosecondsARun}`],
    ["lost / doubled", `${result.lost} / ${result.doubled}`],
  ];
  return rows.map(([name, value]) => `${name.padEnd(20)} ${value}`).join("\n");
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
