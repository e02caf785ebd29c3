import assert from "node:assert/strict";
import { startScript } from "../support/child.ts";
import { afterAll, beforeAll, describe, test } from "../support/harness.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { example, outputOf, runtimes } from "./outputs.ts";

describe("examples/hello", () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNatsServer();
  });
  afterAll(() => server.stop());

  for (const runtime of runtimes) {
    test(`a client calls a worker in another process, on ${runtime}`, async () => {
      const env = { NATS_URL: server.url, NATCHET_NAMESPACE: `hello-${runtime}` };
      const worker = startScript(runtime, example("hello/worker.ts"), { env });
      try {
        assert.equal(
          await outputOf(runtime, "hello/client.ts", { args: ["Ada", "Grace"], env }),
          "Hello, Ada!\nHello, Grace!\n",
        );
        worker.send("SIGTERM");
        assert.equal(await worker.exited, 0, worker.output());
      } finally {
        await worker.kill();
      }
    }, 60_000);
  }
});
