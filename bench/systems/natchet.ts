// natchet: a nats-server, and the engine in the workers or in a process of its own.

import { findServerBinary } from "../../src/embedded/binary.ts";
import { version } from "../../src/mod.ts";
import { Process } from "../process.ts";
import { startNats } from "../servers/nats.ts";
import type { Stand, System } from "../system.ts";

export interface NatchetStand extends Stand {
  /** The engine that led first, where it is apart. */
  readonly engine: Process | undefined;
  /** Starts a further engine process; the stand ends it. */
  startEngine(): Process;
}

interface NatchetSystem extends System {
  start(): Promise<NatchetStand>;
}

interface Variant {
  readonly name: string;
  readonly title: string;
  /** Whether the engine has a process of its own, or lives in the workers as `start` does it by default. */
  readonly isApart?: boolean;
  readonly syncInterval: string;
  readonly onDisk: string;
  readonly durability: string;
}

function natchetWith({ name, title, isApart = false, syncInterval, onDisk, durability }: Variant): NatchetSystem {
  const adapter = isApart ? "../adapters/natchet-apart.ts" : "../adapters/natchet.ts";
  const engine = isApart ? "one dedicated engine process" : "the engine in the worker process that leads (the default)";
  return {
    name,
    title,
    isPeer: false,
    adapter: new URL(adapter, import.meta.url).pathname,
    settings: `nats-server with file storage, sync_interval ${syncInterval}, GOMAXPROCS half of the cores as embedded servers have it; ${engine}; 100 slots a worker`,
    onDisk,
    durability,
    offersResults: true,
    takesWorkloads: true,
    steps: "too",
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
      const engine = isApart ? startEngine() : undefined;
      await engine?.next("leading", 30_000);
      return {
        url: server.url,
        pids: { server: server.pid, ...(engine && { engine: engine.pid }) },
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

const everySecond = {
  syncInterval: "1s",
  onDisk: "within 1 s",
  durability:
    "an acknowledged write is in the page cache: it survives the end of every process, a power cut takes up to 1 second",
};

/** The server syncs as often as Redis does with appendfsync everysec, so that both lose as much in a power cut. */
export const natchet = natchetWith({ name: "natchet", title: "natchet", ...everySecond });

export const natchetApart = natchetWith({
  name: "natchet-apart",
  title: "natchet, engine apart",
  isApart: true,
  ...everySecond,
});

export const natchetAsIs: System = {
  ...natchetWith({
    name: "natchet-as-is",
    title: "natchet, server as it is",
    syncInterval: "2m",
    onDisk: "within 2 min",
    durability:
      "an acknowledged write is in the page cache: it survives the end of every process, a power cut takes up to 2 minutes (the default of nats-server)",
  }),
  isOptional: true,
};

export const natchetSynced = natchetWith({
  name: "natchet-synced",
  title: "natchet, synced",
  syncInterval: "always",
  onDisk: "at once",
  durability: "an acknowledged write is on the disk (fsync): it survives a power cut",
});
