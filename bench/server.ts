// A nats-server of the benchmark's own, on a fresh store on disk.
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface BenchServer {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export async function startServer(binary: string): Promise<BenchServer> {
  const folder = await mkdtemp(join(tmpdir(), "natchet-bench-"));
  const args = [
    "-a",
    "127.0.0.1",
    "-p",
    "-1",
    "-js",
    "-sd",
    join(folder, "store"),
    "--ports_file_dir",
    folder,
    "-l",
    join(folder, "server.log"),
  ];
  const child = spawn(binary, args, { stdio: "ignore" });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const url = await readPort(folder);
  return {
    url,
    pid: child.pid!,
    async stop() {
      child.kill("SIGTERM");
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

// The server writes the file right after it is ready, not in one step.
async function readPort(folder: string): Promise<string> {
  for (
    const deadline = Date.now() + 10_000;
    Date.now() < deadline;
    await new Promise((resolve) => setTimeout(resolve, 10))
  ) {
    const name = (await readdir(folder)).find((each) => each.endsWith(".ports"));
    if (name === undefined) continue;
    try {
      return (JSON.parse(await readFile(join(folder, name), "utf8")) as { nats: string[] }).nats[0]!;
    } catch {}
  }
  throw new Error("nats-server did not start within 10 s");
}
