import assert from "node:assert/strict";
import { afterAll, beforeAll, describe, test } from "../support/harness.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { outputOf, runtimes } from "./outputs.ts";

describe("examples/two-workers", () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNatsServer();
  });
  afterAll(() => server.stop());

  for (const runtime of runtimes) {
    test(`spreads the shared task over both workers and leaves the others where they belong, on ${runtime}`, async () => {
      const env = { NATS_URL: server.url, NATCHET_NAMESPACE: `two-${runtime}` };
      const output = await outputOf(runtime, "two-workers/main.ts", { env });
      const shared = /^resize: +(\d+) by pixels, (\d+) by transfer$/m.exec(output);
      assert.ok(shared, output);
      const [pixels, transfer] = [Number(shared[1]), Number(shared[2])];
      assert.equal(pixels + transfer, 20);
      assert.ok(Math.min(pixels, transfer) >= 6, `of 20 runs one worker got ${Math.min(pixels, transfer)}`);
      assert.match(output, /^watermark: +20 by pixels$/m);
      assert.match(output, /^upload: +20 by transfer$/m);
    }, 60_000);
  }
});
