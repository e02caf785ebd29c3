// The package on every runtime that it promises to run on, from its tarball.
import assert from "node:assert/strict";
import { cpSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { type Child, root, startScript } from "../support/child.ts";
import { afterAll, beforeAll, describe, test } from "../support/harness.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { testTypes } from "./compilers.ts";
import { testExamples } from "./examples.ts";
import { testNode } from "./node.ts";
import { startRegistry } from "./registry.ts";
import { installed, output, type Project, run } from "./scene.ts";

let project: Project;
let server: NatsServer;
beforeAll(async () => {
  [project, server] = await Promise.all([installed(), startNatsServer()]);
}, 300_000);
afterAll(async () => {
  await server.stop();
  project.remove();
});

const inPackage = (file: string) => join(project.folder, "node_modules", "natchet", file);
const natsOf = (namespace: string) => ({ NATS_URL: server.url, NATCHET_NAMESPACE: namespace });

describe("the tarball", () => {
  test("holds JavaScript with types and source maps, and no source that a compiler of a project would read", () => {
    const files = globSync("**/*", { cwd: inPackage("") });
    assert.deepEqual(
      files.filter((file) => /(?<!\.d)\.ts$/.test(file)),
      [],
    );
    const scripts = files.filter((file) => file.endsWith(".js"));
    assert.ok(scripts.length > 200, `${scripts.length} files`);
    for (const script of scripts) {
      assert.ok(files.includes(script.replace(/\.js$/, ".d.ts")), script);
      assert.ok(files.includes(`${script}.map`), script);
    }
  });

  test("has source maps that lead nowhere outside of it", () => {
    for (const file of globSync("**/*.js.map", { cwd: inPackage("") })) {
      const { sources, sourcesContent } = JSON.parse(readFileSync(inPackage(file), "utf8"));
      assert.deepEqual(sources, [basename(file).replace(/\.js\.map$/, ".ts")], file);
      assert.equal(sourcesContent.length, 1, file);
    }
  });

  test("exports files that are there, under the conditions of every runtime", () => {
    const { exports, bin } = JSON.parse(readFileSync(inPackage("package.json"), "utf8"));
    for (const [name, targets] of Object.entries<Record<string, string>>(exports)) {
      if (name === "./package.json") continue;
      assert.deepEqual(Object.keys(targets), ["types", "deno", "bun", "default"], name);
      for (const file of Object.values(targets)) assert.ok(readFileSync(inPackage(file)).length > 0, file);
    }
    assert.match(readFileSync(inPackage(bin.natchet), "utf8"), /^#!\/usr\/bin\/env node\n/);
  });

  test("has types that refer to files that are there", () => {
    for (const file of globSync("**/*.d.ts", { cwd: inPackage("") })) {
      const text = readFileSync(inPackage(file), "utf8");
      for (const [, specifier] of text.matchAll(/(?:from|import\() ?"(\.[^"]+)"/g)) {
        const target = resolve(dirname(inPackage(file)), specifier!.replace(/\.js$/, ".d.ts"));
        assert.ok(readFileSync(target).length > 0, `${file}: ${specifier}`);
      }
    }
  });
});

describe("the types", () => testTypes(() => project));

describe("a worker", () => {
  for (const runtime of ["bun", "deno"] as const) {
    test(`runs on ${runtime} from node_modules, with its threads, and Node calls it`, async () => {
      const env = { ...natsOf(`on-${runtime}`), NATCHET_LOG: "warn" };
      const worker: Child = startScript(runtime, join(project.folder, "worker.ts"), { cwd: project.folder, env });
      try {
        await worker.said(/^ready$/m, 60_000);
        const said = await output("node", ["client.mjs"], { cwd: project.folder, env: natsOf(`on-${runtime}`) });
        const expected = [{ delivered: true }, 42, "RunFailed", "on purpose", `email on ${runtime}`];
        assert.deepEqual(JSON.parse(said), expected);
        worker.send("SIGTERM");
        assert.equal(await worker.exited, 0, worker.output());
        assert.doesNotMatch(worker.output(), /heartbeat|no thread/);
      } finally {
        await worker.kill();
      }
    });
  }
});

test("Deno runs worker and client by npm:natchet, from its own cache", async () => {
  const folder = join(project.folder, "npm-specifier");
  mkdirSync(folder);
  for (const file of ["worker.ts", "client.mjs"]) cpSync(join(project.folder, file), join(folder, file));
  const imports = { natchet: "npm:natchet@^0.2.0", "natchet/client": "npm:natchet@^0.2.0/client" };
  writeFileSync(join(folder, "deno.json"), JSON.stringify({ nodeModulesDir: "none", imports }));
  writeFileSync(join(folder, "package.json"), "{}");
  const registry = await startRegistry(project.folder);
  const env = { ...natsOf("npm"), NPM_CONFIG_REGISTRY: registry.url, DENO_DIR: join(folder, "cache") };
  const worker = startScript("deno", join(folder, "worker.ts"), { cwd: folder, env });
  try {
    await worker.said(/^ready$/m, 60_000);
    const said = await output("deno", ["run", "-A", "client.mjs"], { cwd: folder, env });
    assert.deepEqual(JSON.parse(said), [{ delivered: true }, 42, "RunFailed", "on purpose", "email on deno"]);
    assert.match(await output("deno", ["run", "-A", "npm:natchet", "--version"], { cwd: folder, env }), /0\.2\.0/);
  } finally {
    await worker.kill();
    registry.close();
  }
}, 120_000);

testNode(() => project, natsOf);

describe("the client", () => {
  for (const [runtime, ...args] of [["node"], ["bun"], ["deno", "run", "-A"]] as const) {
    test(`says on ${runtime} that no server answers`, async () => {
      const env = { NATS_URL: "nats://127.0.0.1:9" };
      const { code, stderr } = await run(runtime, [...args, "client.mjs"], { cwd: project.folder, env });
      assert.equal(code, 1);
      assert.match(stderr, /cannot connect to NATS at nats:\/\/127\.0\.0\.1:9/);
      assert.match(stderr, /client\.mjs:\d+:\d+/);
      assert.doesNotMatch(stderr, /connect-trouble|effect/, "natchet's own lines are no help");
    });
  }
});

describe("the first page of the README", () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const programs = [...readme.matchAll(/^```ts\n(\/\/ (worker|client)\.ts\n[\s\S]*?)^```/gm)];

  for (const runtime of ["bun", "deno"] as const) {
    test(`runs on ${runtime}`, async () => {
      const folder = join(project.folder, `readme-${runtime}`);
      mkdirSync(folder);
      assert.deepEqual(programs.map(([, , name]) => name).sort(), ["client", "worker"]);
      for (const [, text, name] of programs) writeFileSync(join(folder, `${name}.ts`), text!);
      const env = { ...natsOf(`readme-${runtime}`), NATCHET_LOG: "info" };
      const worker = startScript(runtime, join(folder, "worker.ts"), { cwd: folder, env });
      try {
        const args = runtime === "bun" ? ["run", "client.ts"] : ["run", "-A", "client.ts"];
        await output(runtime, args, { cwd: folder, env });
        worker.send("SIGTERM");
        assert.equal(await worker.exited, 0, worker.output());
      } finally {
        await worker.kill();
      }
    });
  }
});

describe("the command", () => {
  for (const runtime of ["bun", "deno"] as const) {
    test(`runs on ${runtime}`, async () => {
      const args = runtime === "bun" ? ["--bun"] : ["run", "-A"];
      const said = await output(runtime, [...args, inPackage("src/cli/natchet.mjs"), "--version"], {
        cwd: project.folder,
      });
      assert.match(said, /natchet v?0\.2\.0/);
    });
  }
});

describe("a worker and a client in one program", () => {
  // A minifier renames the classes: the tasks of their handlers must not change with that.
  const expected = "hello ada charge greet greet-apologise billing-tellSupport".split(" ").sort().join(" ");
  const sorted = (said: string) => said.split(/\s+/).sort().join(" ");

  test("is compiled by bun build --compile, with the thread that sends heartbeats", async () => {
    const program = join(project.folder, "compiled");
    const thread = "./node_modules/natchet/src/worker/heart"; // docs/start/bun.md says so
    const flags = ["--root", thread, "--minify", "--outfile", program];
    await output("bun", ["build", "--compile", "one-process.ts", `${thread}/heart-thread.js`, ...flags], {
      cwd: project.folder,
    });
    const env = { ...natsOf("compiled"), NATCHET_LOG: "warn" };
    const { stdout, stderr } = await run(program, [], { cwd: project.folder, env });
    assert.equal(sorted(stdout.trim()), expected);
    assert.equal(stderr, "");
  });

  test("is bundled and minified by esbuild", async () => {
    const banner = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';
    const flags = ["--bundle", "--minify", "--platform=node", "--format=esm", "--target=node22"];
    await output("esbuild", ["one-process.ts", ...flags, `--banner:js=${banner}`, "--outfile=bundle.mjs"], {
      cwd: project.folder,
    });
    const said = await output("bun", ["bundle.mjs"], { cwd: project.folder, env: natsOf("bundled") });
    assert.equal(sorted(said), expected);
  });
});

testExamples(() => project, natsOf);
