// natchet: a nats-server and one dedicated engine process.

import { version } from "../../src/mod.ts";
import { findServerBinary } from "../../src/nats/embedded/binary.ts";
import { Process } from "../process.ts";
import { startNats } from "../servers/nats.ts";
import type { Stand, System } from "../system.ts";

export interface NatchetStand extends Stand {
  /** The engine that led first. */
  readonly engine: Process;
  /** Starts a further engine process; the stand ends it. */
  startEngine(): Process;
}

interface NatchetSystem extends System {
  start(): Promise<NatchetStand>;
}

function natchetWith(
  name: string,
  title: string,
  syncInterval: string,
  onDisk: string,
  durability: string,
): NatchetSystem {
  return {
    name,
    title,
    isPeer: false,
    adapter: new URL("../adapters/natchet.ts", import.meta.url).pathname,
    settings: `nats-server with file storage, sync_interval ${syncInterval}; one dedicated engine process; 100 slots a worker`,
    onDisk,
    durability,
    offersResults: true,
    async prepare() {
      const binary = await findServerBinary();
      return `natchet ${version}, nats-server ${binary.version}`;
    },
    async start() {
      const server = await startNats((await findServerBinary()).path, syncInterval);
      const engines: Process[] = [];
      const startEngine = () => {
        const started = new Process("./engine-process.ts", [server.url]);
        engines.push(started);
        return started;
      };
      const engine = startEngine();
      await engine.next("leading", 30_000);
      return {
        url: server.url,
        pids: { server: server.pid, engine: engine.pid },
        engine,
        startEngine,
        async stop() {
          for (const each of engines) await each.kill();
          await server.stop();
        },
      };
    },
  };
}

/** The server syncs as often as Redis does with appendfsync everysec, so that both lose as much in a power cut. */
export const natchet = natchetWith(
  "natchet",
  "natchet",
  "1s",
  "within 1 s",
  "an acknowledged write is in the page cache: it survives the end of every process, a power cut takes up to 1 second",
);

export const natchetAsIs: System = {
  ...natchetWith(
    "natchet-as-is",
    "natchet, server as it is",
    "2m",
    "within 2 min",
    "an acknowledged write is in the page cache: it survives the end of every process, a power cut takes up to 2 minutes (the default of nats-server)",
  ),
  isOptional: true,
};

export const natchetSynced = natchetWith(
  "natchet-synced",
  "natchet, synced",
  "always",
  "at once",
  "an acknowledged write is on the disk (fsync): it survives a power cut",
);
