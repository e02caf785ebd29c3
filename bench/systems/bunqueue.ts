// bunqueue as a server over TCP, with its SQLite file on disk.
import { join } from "node:path";
import { temporaryFolder } from "../cleanup.ts";
import { peerAdapter, peerFile, peerVersion } from "../peers.ts";
import { freePort, Server } from "../servers/server.ts";
import type { System } from "../system.ts";

export const bunqueue: System = {
  name: "bunqueue",
  title: "bunqueue",
  isPeer: true,
  adapter: peerAdapter("bunqueue"),
  settings:
    "its server over TCP with SQLite on disk; durable: true, removeOnComplete as it is by default; addBulk; concurrency 100, batchSize 100 and pollTimeout 5000 a worker; results by waitUntilFinished; without its rate limit of 10,000 requests a minute",
  onDisk: "at the next checkpoint",
  durability:
    "an acknowledged write is in the page cache (SQLite WAL, synchronous NORMAL): it survives the end of every process, a power cut takes what was written since the last checkpoint",
  offersResults: true,
  share: 0.2,
  async prepare() {
    return `bunqueue ${await peerVersion("bunqueue")}`;
  },
  async start() {
    const folder = await temporaryFolder();
    const [port, httpPort] = [await freePort(), await freePort()];
    const server = new Server({
      command: process.execPath,
      args: [
        ...["run", peerFile("bunqueue/dist/cli/index.js"), "start", "--host", "127.0.0.1"],
        ...["--tcp-port", String(port), "--http-port", String(httpPort), "--data-path", join(folder.path, "queue.db")],
      ],
      env: { RATE_LIMIT_MAX_REQUESTS: "1000000000" }, // 10,000 a minute otherwise
      logFile: join(folder.path, "server.log"),
    });
    await server.whenReady(async () => ((await fetch(`http://127.0.0.1:${httpPort}/health`)).ok ? true : undefined));
    return {
      url: `tcp://127.0.0.1:${port}`,
      pids: { server: server.pid },
      async stop() {
        await server.stop();
        await folder.remove();
      },
    };
  },
};
