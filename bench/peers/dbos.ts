// DBOS in the client and worker processes of the benchmark: workflows are started where they are executed, by requests that the client sends.
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { DBOS } from "@dbos-inc/dbos-sdk";
import type { Adapter, Input, Output } from "../adapter.ts";

export const adapter: Adapter = {
  async connect(url) {
    const run = async (input: Input): Promise<Output> => {
      const answer = await fetch("http://worker/", {
        method: "POST",
        body: JSON.stringify(input),
        unix: socketOf(url),
      });
      if (!answer.ok) throw new Error(`DBOS answered ${answer.status}: ${await answer.text()}`);
      return (await answer.json()) as Output;
    };
    return {
      add: run,
      addMany: (inputs) => Promise.all(inputs.map(run)),
      addDelayed: () => Promise.reject(new Error("not measured")),
      run,
      unfinished: async () => 0, // each is waited for
      close: async () => {},
    };
  },
  async work(url, _, handle, { steps = 1 }) {
    const execute = async (input: Input): Promise<Output> => {
      for (let n = 1; n < steps; n += 1) await DBOS.runStep(async () => ({ n }), { name: "step" });
      return DBOS.runStep(() => handle(input, { attempt: 1, log: () => {} }), { name: "last" });
    };
    const workflow = DBOS.registerWorkflow(execute, { name: "noop" });
    DBOS.setConfig({
      ...{ name: "bench", systemDatabaseUrl: url, systemDatabasePoolSize: 100 },
      ...{ logLevel: "error", runAdminServer: false },
    });
    await DBOS.launch();
    const fetched = async (request: Request) => Response.json(await workflow((await request.json()) as Input));
    const server = Bun.serve({ unix: socketOf(url), idleTimeout: 0, fetch: fetched } as never);
    return {
      async stop() {
        await server.stop();
        await DBOS.shutdown();
      },
    };
  },
};

/** Both sides know the database alone. */
function socketOf(url: string): string {
  return `${tmpdir()}/dbos-${createHash("sha256").update(url).digest("hex").slice(0, 16)}.sock`;
}
