// The first program of a page prints what its first block of text says, on both runtimes.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, startScript } from "../support/child.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";

export function testPage(name: string): void {
  const page = readFileSync(join(root, "docs", name), "utf8");
  const block = (language: string) => new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "m").exec(page)![1]!;
  const source = block("ts")
    .replaceAll('"natchet"', JSON.stringify(join(root, "src", "mod.ts")))
    .replaceAll('"natchet/testing"', JSON.stringify(join(root, "src", "testing", "mod.ts")));
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNatsServer();
  });
  afterAll(() => server.stop());
  for (const runtime of ["bun", "deno"] as const) {
    test(`docs/${name} on ${runtime}`, async () => {
      const folder = mkdtempSync(join(tmpdir(), "natchet-docs-"));
      const file = join(folder, "program.ts");
      writeFileSync(file, source);
      const env = { NATS_URL: server.url, NATCHET_NAMESPACE: `docs-${runtime}` };
      const child = startScript(runtime, join(import.meta.dirname!, "fixtures", "run.ts"), { args: [file], env });
      const code = await child.exited;
      rmSync(folder, { recursive: true });
      assert.deepEqual({ code, output: child.output() }, { code: 0, output: block("text") });
    }, 60_000);
  }
}
