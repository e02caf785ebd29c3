// Node without Bun and Deno: what the installed version says or does, and the oldest one that runs workers, from npm.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startScript } from "../support/child.ts";
import { beforeAll, describe, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";
import { npmFlags, output, type Project, run } from "./scene.ts";

const oldest = 22;
/** Where no other runtime is found. */
const alone = { PATH: "/nowhere" };

const source = `import { Task, Worker } from "natchet";
@Worker({ name: "greeter" })
export class Greeter {
  @Task() async greet() {}
}
`;

export function testNode(project: () => Project, natsOf: (namespace: string) => Record<string, string>): void {
  const command = (): string => join(project().folder, "node_modules/natchet/src/cli/natchet.mjs");

  describe("an older Node", () => {
    let node: string | undefined;
    beforeAll(async () => {
      const ask = (what: string) => output("node", ["-p", what], { cwd: project().folder });
      node =
        Number.parseInt(await ask("process.versions.node"), 10) < oldest ? await ask("process.execPath") : undefined;
    });

    test("is told what a worker needs, and what the command needs", async () => {
      if (node === undefined) return; // there is none on this machine
      const { folder } = project();
      await output("esbuild", ["worker.ts", "--target=es2022", "--outfile=worker.mjs"], { cwd: folder });
      const worker = await run(node, ["worker.mjs"], { cwd: folder, env: alone });
      assert.equal(worker.code, 1);
      assert.match(worker.stderr, /start\(\) needs Node 22 or newer, Bun or Deno, and this is node .*natchet\/client/);
      const { code, stderr } = await run(node, [command(), "--version"], { cwd: folder, env: alone });
      assert.equal(code, 1);
      assert.match(stderr, /natchet needs Bun, Deno or Node 22, and this is Node .*npm install --save-dev bun/);
    });
  });

  describe(`Node ${oldest}`, () => {
    let node: string;
    beforeAll(async () => {
      const folder = join(project().folder, "node");
      mkdirSync(folder);
      writeFileSync(join(folder, "package.json"), "{}");
      const name = `node-${process.platform}-${process.arch}`;
      await output("npm", ["install", ...npmFlags, `${name}@${oldest}`], { cwd: folder });
      node = join(folder, "node_modules", name, "bin", "node");
    }, 300_000);

    test("runs a compiled worker with its threads, and the command beside it", async () => {
      const { folder } = project();
      await output("esbuild", ["worker.ts", "--target=es2022", "--outfile=worker.mjs"], { cwd: folder });
      const nats = natsOf("on-node");
      const env = { ...nats, NATCHET_LOG: "warn" };
      const worker = startScript("node", join(folder, "worker.mjs"), { program: node, cwd: folder, env });
      try {
        await worker.said(/^ready$/m, 60_000);
        const said = await output(node, ["client.mjs"], { cwd: folder, env: nats });
        assert.deepEqual(JSON.parse(said), [{ delivered: true }, 42, "RunFailed", "on purpose", "email on node"]);
        const natchet = (...args: string[]) =>
          output(node, [command(), ...args], { cwd: folder, env: { ...nats, ...alone } });
        assert.equal(await natchet("run", "double", '{"n":4}'), "8");
        assert.match(await natchet("runs", "list", "--task", "double"), /double .* completed/);
        worker.send("SIGTERM");
        assert.equal(await worker.exited, 0, worker.output());
        assert.doesNotMatch(worker.output(), /heartbeat/);
      } finally {
        await worker.kill();
      }
    }, 120_000);

    test("reloads compiled workers in natchet dev, and says of TypeScript what to do", async () => {
      const { folder } = project();
      const built = join(folder, "built");
      mkdirSync(built);
      writeFileSync(join(built, "source.ts"), source);
      await output("esbuild", ["source.ts", "--target=es2022", "--outfile=source.mjs"], { cwd: built });
      writeFileSync(join(built, "worker.mjs"), 'export { Greeter } from "./source.mjs";\n');
      const env = { ...natsOf("dev-on-node"), ...alone };
      const dev = startScript("node", command(), { program: node, args: ["dev", "worker.mjs"], cwd: built, env });
      try {
        await dev.said("the worker is ready", 60_000);
        await output("esbuild", ["source.ts", "--target=es2022", "--minify", "--outfile=source.mjs"], { cwd: built });
        await waitFor(() => dev.output().includes("[dev] reloaded"), 60_000, dev.output);
        dev.send("SIGINT");
        assert.equal(await dev.exited, 0, dev.output());
      } finally {
        await dev.kill();
      }
      const { stderr } = await run(node, [command(), "worker", "source.ts"], { cwd: built, env });
      assert.match(stderr, /source\.ts cannot be imported: .*compile the file first, or install Bun/);
    }, 120_000);
  });
}
