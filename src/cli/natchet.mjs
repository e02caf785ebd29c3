#!/usr/bin/env node
// What `npx natchet` starts: natchet runs on Bun or Deno, so under Node this only hands over to one of them.
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

if ("Bun" in globalThis || "Deno" in globalThis) {
  // The first process of a container is not ended by a signal that nobody listens to, and the program takes a moment to load.
  for (const [signal, code] of [
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ])
    process.on(signal, () => process.listenerCount(signal) === 1 && process.exit(code));
  const { main } = await import("./main.ts");
  await main();
} else {
  handOver();
}

function handOver() {
  const runtime = find("bun") ?? find("deno");
  if (runtime === undefined) {
    console.error(
      "natchet runs on Bun or Deno, and neither was found; install one here, for example: npm install --save-dev bun",
    );
    process.exit(1);
  }
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const args = runtime.name === "bun" ? ["run", main] : ["run", "-A", main];
  const child = spawn(runtime.path, [...args, ...process.argv.slice(2)], { stdio: "inherit" });
  // A terminal sends Ctrl-C to the child as well; a signal that was sent to this process alone is passed on.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("error", (error) => {
    console.error(`${runtime.path} could not be started: ${error.message}`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)));
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
