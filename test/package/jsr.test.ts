// What JSR would be given: the sources, with public types that it need not infer ("slow types"), and how Deno runs them from there.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, startScript } from "../support/child.ts";
import { test } from "../support/harness.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { output, run } from "./scene.ts";

test("JSR takes the sources", async () => {
  const args = ["publish", "--dry-run", "--allow-dirty", "--no-check"]; // types are checked elsewhere
  const { code, stdout, stderr } = await run("deno", args, { cwd: root });
  assert.equal(code, 0, stdout + stderr);
});

/** Serves the sources as JSR does: modules from https, not from a disk. */
async function serveSources(): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((request, response) => {
    const body = readFileSync(join(root, request.url!));
    response.writeHead(200, { "content-type": "application/typescript" }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

test("Deno runs the sources from a registry, with their threads", async () => {
  const folder = mkdtempSync(join(tmpdir(), "natchet-jsr-"));
  for (const file of ["worker.ts", "client.mjs"])
    cpSync(join(import.meta.dirname!, "fixtures", file), join(folder, file));
  const [sources, nats] = await Promise.all([serveSources(), startNatsServer()]);
  // The packages are those of this repository: nothing is fetched but the sources.
  const { type, dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type, dependencies }));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const packages = Object.entries(dependencies).flatMap(([name, version]) => [
    [name, `npm:${name}@${version}`],
    [`${name}/`, `npm:/${name}@${version}/`],
  ]);
  const own = { natchet: `${sources.url}/src/mod.ts`, "natchet/client": `${sources.url}/src/client.ts` };
  const imports = { ...Object.fromEntries(packages), ...own };
  writeFileSync(join(folder, "deno.json"), JSON.stringify({ nodeModulesDir: "manual", imports }));
  const env = { NATS_URL: nats.url, NATCHET_LOG: "warn", DENO_DIR: join(folder, "cache") };
  const worker = startScript("deno", join(folder, "worker.ts"), { cwd: folder, env });
  try {
    await worker.said(/^ready$/m, 60_000);
    const said = await output("deno", ["run", "-A", "client.mjs"], { cwd: folder, env });
    assert.deepEqual(JSON.parse(said), [{ delivered: true }, 42, "RunFailed", "on purpose", "email on deno"]);
    assert.doesNotMatch(worker.output(), /heartbeat/);
  } finally {
    await worker.kill();
    sources.close();
    await nats.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);
