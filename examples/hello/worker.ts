// A worker with one task. Start it with `bun run examples/hello/worker.ts` or `deno run -A examples/hello/worker.ts`.
import { start, Task, type TaskContext, Worker } from "../../src/mod.ts";

@Worker(5)
export class HelloWorker {
  @Task("hello", { retries: 3, timeout: "30s" })
  async hello(input: { name: string }, ctx: TaskContext) {
    ctx.log.info(`greeting ${input.name}`);
    return { greeting: `Hello, ${input.name}!` };
  }
}

if (import.meta.main) await (await start(HelloWorker)).stopped;
