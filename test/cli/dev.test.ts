// `natchet dev` in a folder of its own, with its embedded server; `natchet run` in another process finds it.
import assert from "node:assert/strict";
import { describe, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";
import { CliScene, mod, runtimes, versionWorker } from "./scene.ts";

describe("natchet dev", () => {
  for (const runtime of runtimes) {
    test(`reloads on change, keeps the old worker on a syntax error, drains on SIGINT, on ${runtime}`, async () => {
      await using scene = await CliScene.open(runtime);
      await scene.write("worker.ts", versionWorker("one"));
      const dev = scene.start("dev");
      await dev.said("the worker is ready");
      assert.deepEqual(await scene.natchet("run", "version"), { code: 0, output: '"one"\n' });

      const slow = scene.natchet("run", "slow", '{"ms":3000}');
      await waitFor(
        async () => (await scene.natchet("runs", "list", "--state", "running")).output.includes("slow"),
        20_000,
        "slow",
      );
      await scene.write("worker.ts", versionWorker("two"));
      await dev.said("reloaded");
      assert.deepEqual(await scene.natchet("run", "version"), { code: 0, output: '"two"\n' });
      assert.deepEqual(await slow, { code: 0, output: '"slow one"\n' });

      await scene.write("worker.ts", "this is no TypeScript {");
      await dev.said("the previous one keeps working");
      await dev.said(/worker\.ts:1:\d+/);
      assert.deepEqual(await scene.natchet("run", "version"), { code: 0, output: '"two"\n' });

      dev.send("SIGINT");
      assert.equal(await dev.exited, 0, dev.output());
    }, 120_000);

    test(`goes on when a run ends its worker, and reloads for an imported file of a sibling, on ${runtime}`, async () => {
      await using scene = await CliScene.open(runtime);
      await scene.write("app/setup.ts", 'globalThis.greeting = "hello";\n');
      await scene.write("app/worker.ts", `import { name } from "../lib/name.ts";\n${greeter}`);
      await scene.write("lib/name.ts", 'export const name = "one";\n');
      const preload = ["--preload", "./setup.ts"];
      const dev = scene.start({ in: "app", flags: preload }, "dev");
      await dev.said("the worker is ready");
      assert.deepEqual(await scene.natchet({ in: "app" }, "run", "greet"), { code: 0, output: '"hello one"\n' });
      await scene.natchet({ in: "app" }, "run", "quit", "--id", "x", "--no-wait");
      await dev.said(/the worker process ended \(code 7, by the code of run quit\/x\); restarting it/);
      await scene.natchet({ in: "app" }, "runs", "cancel", "quit", "x");
      await scene.write("lib/name.ts", 'export const name = "two";\n');
      await dev.said("name.ts changed");
      await waitFor(
        async () => (await scene.natchet({ in: "app" }, "run", "greet")).output.includes("hello two"),
        60_000,
        dev.output,
      );
      dev.send("SIGHUP");
      assert.equal(await dev.exited, 0, dev.output());
    }, 180_000);
  }
});

const greeter = `import { Task, Worker } from ${JSON.stringify(mod)};
@Worker(5)
export class Greeter {
  @Task("greet") async greet() { return (globalThis as any).greeting + " " + name; }
  @Task("quit") async quit() { process.exit(7); }
}
`;
