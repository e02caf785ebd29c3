// The program in docs/logs-and-streams.md prints what the page says.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, startScript } from "../support/child.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";

const page = readFileSync(join(root, "docs", "logs-and-streams.md"), "utf8");
const block = (language: string) => new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "m").exec(page)![1]!;

let server: NatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

for (const runtime of ["bun", "deno"] as const) {
  test(`docs/logs-and-streams.md on ${runtime}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "natchet-docs-"));
    const file = join(folder, "answer.ts");
    writeFileSync(file, block("ts").replace('"natchet"', JSON.stringify(join(root, "src", "mod.ts"))));
    const env = { NATS_URL: server.url, NATCHET_NAMESPACE: `docs-${runtime}` };
    const child = startScript(runtime, join(import.meta.dirname!, "fixtures", "run.ts"), { args: [file], env });
    const code = await child.exited;
    rmSync(folder, { recursive: true });
    assert.deepEqual({ code, output: child.output() }, { code: 0, output: block("text") });
  }, 60_000);
}
