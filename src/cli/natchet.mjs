#!/usr/bin/env node
// What `npx natchet` starts. Bun and Deno run workers from TypeScript, so Node hands over to one of them; where neither is installed, a Node
// that is new enough takes compiled workers.
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { constants as system } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"];

const isNode = !("Bun" in globalThis || "Deno" in globalThis);
const better = isNode ? (find("bun") ?? find("deno")) : undefined;
const oldestNode = 22;

if (better !== undefined) {
  handOver(better);
} else if (isNode && Number.parseInt(process.versions.node, 10) < oldestNode) {
  console.error(
    `natchet needs Bun, Deno or Node ${oldestNode}, and this is Node ${process.versions.node}; install one here, for example: npm install --save-dev bun`,
  );
  process.exit(1);
} else {
  // The first process of a container is not ended by a signal that nobody listens to, and the program takes a moment to load.
  // SIGHUP is left to the program: under nohup it is to be ignored.
  for (const signal of ["SIGINT", "SIGTERM"])
    process.on(signal, () => process.listenerCount(signal) === 1 && process.exit(codeOf(signal)));
  const { main } = await import("./main.ts");
  await main();
}

function handOver(runtime) {
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const args = runtime.name === "bun" ? ["run", main] : ["run", "-A", "--quiet", main];
  const env = { ...process.env, NATCHET_WRAPPER: String(process.pid) }; // when it dies, so does the program
  const child = spawn(runtime.path, [...args, ...process.argv.slice(2)], { stdio: "inherit", env });
  // A terminal sends Ctrl-C to the child as well, which takes the two for one; pm2 and Docker send theirs to this process alone.
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(`${runtime.path} could not be started: ${error.message}`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => process.exit(code ?? codeOf(signal)));
}

function codeOf(signal) {
  return 128 + (system.signals[signal] ?? 0);
}

/** Looks in the project's node_modules, upwards, and then in PATH. */
function find(name) {
  const folders = [];
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    folders.push(join(folder, "node_modules", ".bin"));
    if (folder === dirname(folder)) break;
  }
  folders.push(...(process.env.PATH ?? "").split(delimiter));
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return { name, path };
    } catch {}
  }
  return undefined;
}
