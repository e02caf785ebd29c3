// DBOS on a PostgreSQL of its own, with commits on the disk, and without that.
import { peerAdapter, peerVersion } from "../peers.ts";
import { findPostgres, type PostgresProgram, startPostgres } from "../servers/postgres.ts";
import type { System } from "../system.ts";

let program: PostgresProgram;

function dbosWith({ syncs, ...rest }: Pick<System, "name" | "title" | "durability"> & { syncs: boolean }): System {
  return {
    ...rest,
    isPeer: true,
    adapter: peerAdapter("dbos"),
    settings: `PostgreSQL as initdb leaves it (fsync on, synchronous_commit ${syncs ? "on" : "off"}), max_connections 500; systemDatabasePoolSize 100; workflows are started in the process that executes them, without its queues, which poll once a second`,
    onDisk: syncs ? "at once" : "within 1 s",
    offersResults: true,
    steps: "only",
    share: 0.1,
    async prepare() {
      program = await findPostgres();
      return `DBOS ${await peerVersion("@dbos-inc/dbos-sdk")}, PostgreSQL ${program.version}`;
    },
    async start() {
      const { url, pid, stop } = await startPostgres(program, syncs);
      return { url, pids: { server: pid }, stop };
    },
  };
}

export const dbos = dbosWith({
  name: "dbos",
  title: "DBOS",
  syncs: true,
  durability: "an acknowledged step is on the disk (fsync): it survives a power cut",
});

export const dbosFast = dbosWith({
  name: "dbos-fast",
  title: "DBOS, not synced",
  syncs: false,
  durability: "a power cut or a crash of the server takes up to 0.6 seconds",
});
