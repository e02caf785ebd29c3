// `npm start`: NATS, engine, worker and client in one process audit the licences of every package in a node_modules folder.
// Options: --folder node_modules · --slots 5 · --workers 0 (more worker processes) · --pause 0 (ms after each package) · --json
import { type ChildProcess, spawn } from "node:child_process";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { start } from "../../src/mod.ts";
import { formatReport } from "./report.ts";

const projectModules = fileURLToPath(new URL("../../node_modules", import.meta.url));
const { values } = parseArgs({
  options: {
    folder: { type: "string", default: projectModules },
    slots: { type: "string", default: "5" },
    workers: { type: "string", default: "0" },
    pause: { type: "string", default: "0" },
    json: { type: "boolean", default: false },
  },
});

// The worker class reads its number of slots when it is loaded, here and in the further processes.
process.env.AUDIT_SLOTS = values.slots;
const { AuditWorker } = await import("./worker.ts");
const { auditFolder } = await import("./client.ts");

const running = await start(AuditWorker, { log: "warn" });
const others = Array.from({ length: Number(values.workers) }, startWorkerProcess);
const totals = await auditFolder(running.client(), { folder: resolve(values.folder), pauseMs: Number(values.pause) });
console.log(values.json ? JSON.stringify(totals, undefined, 2) : formatReport(totals));
await Promise.all(others.map(stopWorkerProcess));
await running.stop();
if (process.stderr.isTTY) {
  const bun = "node_modules/.bin/bun run examples/hello";
  console.error(`\nnext: ${bun}/worker.ts, and in a second terminal: ${bun}/client.ts Ada`);
}

function startWorkerProcess(): ChildProcess {
  const script = fileURLToPath(new URL("./worker.ts", import.meta.url));
  const args = "Bun" in globalThis ? ["run", script] : ["run", "-A", "--quiet", script];
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, NATCHET_LOG: "warn" },
  });
  console.error(`worker process ${child.pid} started`);
  return child;
}

async function stopWorkerProcess(child: ChildProcess): Promise<void> {
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  await gone;
}
