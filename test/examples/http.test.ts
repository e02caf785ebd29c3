import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { root, startScript } from "../support/child.ts";
import { afterAll, beforeAll, describe, test } from "../support/harness.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { example, runtimes } from "./outputs.ts";

describe("examples/http", () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNatsServer();
  });
  afterAll(() => server.stop());

  test("compiles", () => {
    execFileSync(join(root, "node_modules/.bin/tsc"), ["-p", example("http")], { stdio: "inherit" });
  });

  for (const runtime of runtimes) {
    test(`enqueues, waits with a limit and streams to the browser, on ${runtime}`, async () => {
      const env = { NATS_URL: server.url, NATCHET_NAMESPACE: `http-${runtime}`, PORT: "0" };
      const worker = startScript(runtime, example("http/worker.ts"), { env });
      const http = startScript(runtime, example("http/server.ts"), { env });
      try {
        await http.said("listening on");
        const [base] = /http:\S+/.exec(http.output())!;
        const post = (path: string, body: unknown) =>
          fetch(`${base}${path}`, { method: "POST", body: JSON.stringify(body) });

        const made = await post("/stories", { about: "a queue" });
        assert.equal(made.status, 202);
        const { id, stream } = (await made.json()) as { id: string; stream: string };
        const told = await (await fetch(`${base}${stream}`)).text();
        const words = Array.from(told.matchAll(/^data: (".*")$/gm), ([, word]) => JSON.parse(word!));
        assert.equal(words.join(" "), "Once there was a queue.");
        assert.match(told, /event: end/);
        assert.deepEqual(await (await fetch(`${base}/stories/${id}`)).json(), {
          state: "completed",
          output: { words: 5 },
        });

        assert.deepEqual(await (await post("/stories/now", { about: "one" })).json(), { words: 4 });
        assert.equal((await post("/stories", { about: "" })).status, 400);
        assert.equal((await fetch(`${base}/stories/unknown/stream`)).status, 404);
        assert.match(await (await fetch(base)).text(), /EventSource/);

        http.send("SIGTERM");
        assert.equal(await http.exited, 0, http.output());
      } finally {
        await Promise.all([worker.kill(), http.kill()]);
      }
    }, 120_000);
  }
});
