// The examples that are projects of their own, with the installed package.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { root, startScript } from "../support/child.ts";
import { describe, test } from "../support/harness.ts";
import { output, type Project } from "./scene.ts";

const types = ["--types", "node", "--typeRoots", join(root, "node_modules/@types")];

export function testExamples(project: () => Project, natsOf: (namespace: string) => Record<string, string>): void {
  const copy = (name: string) => {
    const folder = join(project().folder, name);
    cpSync(join(root, "examples", name), folder, { recursive: true });
    return folder;
  };

  test("examples/node-client: Bun executes what Node enqueues", async () => {
    const folder = copy("node-client");
    const env = natsOf("node-client");
    const flags = [
      "--noEmit",
      "--strict",
      "--target",
      "es2022",
      "--module",
      "nodenext",
      "--allowImportingTsExtensions",
    ];
    await output("tsc", [...flags, ...types, "client.ts", "worker.ts"], { cwd: folder });
    // Older versions of Node do not run TypeScript.
    await output("esbuild", ["client.ts", "--outfile=client.mjs"], { cwd: folder });
    const command = join(project().folder, "node_modules/natchet/src/cli/natchet.mjs");
    const worker = startScript("bun", command, { args: ["worker", "worker.ts"], cwd: folder, env });
    try {
      const said = await output("node", ["client.mjs"], { cwd: folder, env });
      assert.equal(said, "resized: cat-300.png\nstored: resize/dog-80\nresult: dog-80.png");
      worker.send("SIGTERM");
      assert.equal(await worker.exited, 0, worker.output());
    } finally {
      await worker.kill();
    }
  });

  describe("examples/monorepo", () => {
    for (const runtime of ["bun", "deno"] as const) {
      test(`packages share the server of the workspace, on ${runtime}`, async () => {
        const folder = join(project().folder, `monorepo-${runtime}`);
        cpSync(join(root, "examples/monorepo"), folder, { recursive: true });
        // As a package manager links the packages of a workspace.
        mkdirSync(join(folder, "node_modules/@acme"), { recursive: true });
        for (const name of ["contracts", "jobs", "api"])
          symlinkSync(join(folder, "packages", name), join(folder, "node_modules/@acme", name));
        for (const name of ["natchet", "zod"])
          symlinkSync(join(project().folder, "node_modules", name), join(folder, "node_modules", name));
        if (runtime === "bun") await output("tsc", ["-p", ".", ...types], { cwd: folder });
        const [jobs, api] = [join(folder, "packages/jobs"), join(folder, "packages/api")];
        const worker = startScript(runtime, join(jobs, "worker.ts"), { cwd: jobs, env: { NATS_URL: "" } });
        try {
          await worker.said("email", 60_000); // the first line, once it is registered
          const args = runtime === "bun" ? ["run", "main.ts"] : ["run", "-A", "main.ts"];
          const said = await output(runtime, args, { cwd: api, env: { NATS_URL: "" } });
          assert.equal(said, "sent: <welcome-ada@example.com>");
          worker.send("SIGTERM");
          assert.equal(await worker.exited, 0, worker.output());
        } finally {
          await worker.kill();
        }
      });
    }
  });
}
