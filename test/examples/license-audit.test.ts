// The audit gives the same totals however the work is spread, also when a worker process is killed in the middle.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Totals } from "../../examples/license-audit/totals.ts";
import { type Runtime, startScript } from "../support/child.ts";
import { afterAll, beforeAll, describe, test } from "../support/harness.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { type FixtureFolder, writeModules } from "./license-audit/fixture.ts";
import { example, jsonIn, outputOf, runtimes } from "./outputs.ts";

describe("examples/license-audit", () => {
  let server: NatsServer;
  let folder: FixtureFolder;
  beforeAll(async () => {
    server = await startNatsServer();
    folder = await writeModules(120);
  });
  afterAll(async () => {
    await server.stop();
    await folder[Symbol.asyncDispose]();
  });

  const options = (namespace: string, ...args: string[]) => ({
    args: ["--json", "--folder", folder.modules, ...args],
    env: { NATS_URL: server.url, NATCHET_NAMESPACE: namespace },
  });
  const audit = async (runtime: Runtime, name: string, ...args: string[]) =>
    jsonIn(await outputOf(runtime, "license-audit/main.ts", options(`${name}-${runtime}`, ...args))) as Totals;

  const checkTotals = (totals: Totals) => {
    assert.equal(totals.packages, 124);
    assert.deepEqual(
      totals.licences.map(({ licence, packages }) => [licence, packages]),
      [
        ["MIT", 83],
        ["ISC", 40],
        ["none", 1],
      ],
    );
    assert.deepEqual(
      totals.disagreements.map(({ path }) => path),
      ["two-faced"],
    );
    assert.deepEqual(
      totals.unreadable.map(({ path }) => path),
      ["broken"],
    );
    assert.match(totals.unreadable[0]!.error, /^cannot read broken\/package\.json: /);
  };

  for (const runtime of runtimes) {
    test(`1 slot, 5 slots and two worker processes give the same totals, on ${runtime}`, async () => {
      const one = await audit(runtime, "one", "--slots", "1");
      checkTotals(one);
      assert.deepEqual(await audit(runtime, "five", "--slots", "5"), one);
      assert.deepEqual(await audit(runtime, "two", "--slots", "3", "--workers", "1", "--pause", "5"), one);
    }, 90_000);

    test(`a worker process killed by SIGKILL in the middle changes nothing, on ${runtime}`, async () => {
      const { args, env } = options(`killed-${runtime}`, "--slots", "2", "--workers", "1", "--pause", "150");
      const main = startScript(runtime, example("license-audit/main.ts"), { args, env });
      try {
        await main.said(/audited · running [34] /);
        const pid = Number(/worker process (\d+) started/.exec(main.output())![1]);
        process.kill(pid, "SIGKILL");
        assert.equal(await main.exited, 0, main.output());
        checkTotals(jsonIn(main.output()) as Totals);
      } finally {
        await main.kill();
      }
    }, 90_000);

    test(`embedded NATS, engine, worker and client work in one process, on ${runtime}`, async () => {
      const env = { NATCHET_DIRECTORY: join(folder.home, `embedded-${runtime}`) };
      const output = await outputOf(runtime, "license-audit/main.ts", { args: ["--folder", folder.modules], env });
      assert.match(output, /^MIT +83 +\d+ +\d.*$/m);
      assert.match(output, /^total +124 /m);
      assert.match(output, /^ {2}two-faced: declares Apache-2\.0, ships MIT$/m);
      assert.match(output, /^ {2}broken: cannot read broken\/package\.json/m);
    }, 60_000);
  }
});
