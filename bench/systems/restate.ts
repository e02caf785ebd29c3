// Restate: its server as one process, as it is, and without waiting for the disk.
import { join } from "node:path";
import { temporaryFolder } from "../cleanup.ts";
import { peerAdapter, peerFile, peerVersion } from "../peers.ts";
import { freePort, Server } from "../servers/server.ts";
import type { System } from "../system.ts";

function restateWith({ syncs, ...rest }: Pick<System, "name" | "title" | "durability"> & { syncs: boolean }): System {
  return {
    ...rest,
    isPeer: true,
    adapter: peerAdapter("restate"),
    settings: `restate-server as a single node as it is by default${syncs ? "" : ", rocksdb-disable-wal-fsync"}; its SDK over HTTP/2, bidirectional; runs by its HTTP ingress`,
    onDisk: syncs ? "at once" : "soon",
    offersResults: true,
    steps: "only",
    share: 0.1,
    async prepare() {
      const [server, sdk] = await Promise.all(
        ["server", "sdk"].map((part) => peerVersion(`@restatedev/restate-${part}`)),
      );
      return `Restate ${server}, its SDK ${sdk}`;
    },
    async start() {
      const folder = await temporaryFolder();
      const [ingress, admin, node] = [await freePort(), await freePort(), await freePort()];
      const ports = { INGRESS__BIND_PORT: ingress, ADMIN__BIND_PORT: admin, BIND_PORT: node };
      const server = new Server({
        command: peerFile(`@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`),
        args: ["--base-dir", join(folder.path, "data"), "--no-logo", "--listen-mode", "tcp"],
        env: {
          ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [`RESTATE_${name}`, String(port)])),
          ...{ RESTATE_BIND_IP: "127.0.0.1", RESTATE_DISABLE_TELEMETRY: "true", DO_NOT_TRACK: "1" },
          ...(syncs ? {} : { RESTATE_LOG_SERVER__ROCKSDB_DISABLE_WAL_FSYNC: "true" }),
        },
        logFile: join(folder.path, "server.log"),
      });
      const isReady = async (port: number, path: string) => (await fetch(`http://127.0.0.1:${port}/${path}`)).ok;
      await server.whenReady(async () =>
        (await isReady(admin, "health")) && (await isReady(ingress, "restate/health")) ? true : undefined,
      );
      return {
        url: `http://127.0.0.1:${ingress},http://127.0.0.1:${admin}`,
        pids: { server: server.pid },
        async stop() {
          await server.stop();
          await folder.remove();
        },
      };
    },
  };
}

export const restate = restateWith({
  name: "restate",
  title: "Restate",
  syncs: true,
  durability: "an acknowledged step is on the disk (fsync): it survives a power cut",
});

export const restateFast = restateWith({
  name: "restate-fast",
  title: "Restate, not synced",
  syncs: false,
  durability: "an acknowledged step is in the page cache: it survives the end of every process",
});
