// No container engine is needed: the Dockerfiles are linted, and what they start and ask is started and asked here.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { join } from "node:path";
import { variables } from "../../src/facade/settings.ts";
import { root } from "../support/child.ts";
import { afterAll, beforeAll, describe, test } from "../support/harness.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { example, runtimes } from "./outputs.ts";

const folder = example("docker");
const require = createRequire(import.meta.url);

describe("examples/docker", () => {
  let server: NatsServer;
  let cwd: string;
  beforeAll(async () => {
    server = await startNatsServer();
    cwd = mkdtempSync(join(import.meta.dirname!, ".programs-"));
    const source = readFileSync(join(folder, "worker.ts"), "utf8");
    writeFileSync(join(cwd, "worker.ts"), source.replace('"natchet"', JSON.stringify(join(root, "src", "mod.ts"))));
  });
  afterAll(async () => {
    rmSync(cwd, { recursive: true });
    await server.stop();
  });

  for (const runtime of runtimes) {
    const text = readFileSync(join(folder, `Dockerfile.${runtime}`), "utf8").replaceAll("\\\n", "");
    const lines = (name: string) => Array.from(text.matchAll(new RegExp(`^${name} +(.*)$`, "gm")), ([, rest]) => rest!);

    test(`Dockerfile.${runtime} passes the linter, and copies what is there`, () => {
      const { validate } = require("dockerfile-utils") as { validate(text: string): { message: string }[] };
      assert.deepEqual(
        validate(text).map(({ message }) => message),
        [],
      );
      for (const file of lines("COPY").filter((rest) => !rest.startsWith("--from"))) {
        const sources = file.split(/\s+/).slice(0, -1);
        for (const source of sources.filter((name) => !name.endsWith("*")))
          assert.equal(globSync(source, { cwd: folder }).length, 1, `${source} is there`);
      }
      assert.deepEqual(lines("USER"), [runtime]);
      assertKnown(lines("ENV").flatMap((rest) => rest.split(" ").map((pair) => pair.split("=")[0]!)));
    });

    test(`its command starts on ${runtime}, gets healthy and drains`, async () => {
      const port = await freePort();
      const env = { ...process.env, NATS_URL: server.url, NATCHET_NAMESPACE: `docker-${runtime}` };
      const start = (line: string) => {
        const [program, ...args] = JSON.parse(line.replaceAll("8080", String(port))) as [string, ...string[]];
        const given = { ...env, NATCHET_HEALTH_PORT: String(port) };
        const child = spawn(join(root, "node_modules/.bin", program), args, { cwd, env: given, stdio: "pipe" });
        const exited = new Promise<number | null>((resolve) => child.on("exit", resolve));
        return { child, exited };
      };
      const [command, check] = [lines("CMD").at(-1)!, /CMD (\[.*\])$/.exec(lines("HEALTHCHECK")[0]!)![1]!];
      const worker = start(command);
      let said = "";
      worker.child.stderr.on("data", (data) => (said += data));
      try {
        await waitFor(
          async () => (await start(check).exited) === 0,
          60_000,
          () => `the worker to be healthy:\n${said}`,
        );
        worker.child.kill("SIGTERM");
        assert.equal(await worker.exited, 0, said);
      } finally {
        worker.child.kill("SIGKILL");
      }
    }, 90_000);
  }

  test("compose.yaml builds from files that are there, and waits longer than natchet drains", async () => {
    if (!("Bun" in globalThis)) return; // Bun reads YAML
    const { services } = Bun.YAML.parse(readFileSync(join(folder, "compose.yaml"), "utf8")) as any;
    const { build, environment, stop_grace_period, depends_on } = services.worker;
    assert.equal(globSync(build.dockerfile, { cwd: folder }).length, 1);
    assert.ok(Number.parseInt(stop_grace_period, 10) > 30);
    assert.deepEqual(Object.keys(depends_on), ["nats"]);
    assertKnown(Object.keys(environment));
  });
});

function assertKnown(names: readonly string[]): void {
  for (const name of names) assert.ok(name in variables, `${name} is a variable of natchet`);
}

const freePort = () =>
  new Promise<number>((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
