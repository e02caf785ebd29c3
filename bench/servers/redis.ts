// A redis-server of the benchmark's own, with its append-only file on disk.
import { execFile } from "node:child_process";
import { connect } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { temporaryFolder } from "../cleanup.ts";
import { fetchPackages, findProgram } from "./apt.ts";
import { freePort, Server } from "./server.ts";

export interface RedisProgram {
  readonly path: string;
  readonly env: Record<string, string>;
  readonly version: string;
}

export async function findRedis(): Promise<RedisProgram> {
  const path = await findProgram("redis-server");
  if (path !== undefined) return inspect(path, {});
  const { root, libraries } = await fetchPackages("redis", ["redis-server", "redis-tools"]);
  return inspect(join(root, "usr/bin/redis-server"), { LD_LIBRARY_PATH: libraries });
}

async function inspect(path: string, env: Record<string, string>): Promise<RedisProgram> {
  const { stdout } = await promisify(execFile)(path, ["--version"], { env: { ...process.env, ...env } });
  return { path, env, version: /v=([\d.]+)/.exec(stdout)?.[1] ?? "of an unknown version" };
}

export async function startRedis(program: RedisProgram): Promise<{ port: number; pid: number; stop(): Promise<void> }> {
  const folder = await temporaryFolder();
  const port = await freePort();
  const server = new Server({
    command: program.path,
    args: [
      ...["--port", String(port), "--bind", "127.0.0.1", "--dir", folder.path, "--loglevel", "warning"],
      ...["--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction"],
    ],
    env: program.env,
    logFile: join(folder.path, "server.log"),
  });
  await server.whenReady(() => ping(port));
  return {
    port,
    pid: server.pid,
    async stop() {
      await server.stop();
      await folder.remove();
    },
  };
}

function ping(port: number): Promise<true> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\n"));
    socket.once("error", reject);
    socket.once("data", (data) => {
      socket.end();
      if (data.toString().startsWith("+PONG")) resolve(true);
      else reject(new Error("the server is loading"));
    });
  });
}
