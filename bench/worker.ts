// The worker process of the benchmark: counts what it really executes.
import { start, Task, type TaskContext, Worker } from "../src/mod.ts";
import { commands, say } from "./process.ts";

const executions = new Map<string, number>();
let firstAt = 0;
let lastAt = 0;

@Worker({ name: "bench", slots: 100 })
class BenchWorker {
  @Task("noop", { timeout: "1m", scheduleTimeout: null })
  async noop(_input: unknown, ctx: TaskContext) {
    lastAt = performance.now();
    if (firstAt === 0) firstAt = lastAt;
    executions.set(ctx.runId, (executions.get(ctx.runId) ?? 0) + 1);
  }
}

const running = await start(BenchWorker, { engine: "off", log: "warn" });
say("registered");
for await (const command of commands()) {
  if (command !== "count") break;
  const doubled = [...executions.values()].filter((count) => count > 1).length;
  say("count", { distinct: executions.size, doubled, spanMs: lastAt - firstAt });
}
await running.stop();
