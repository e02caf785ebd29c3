// graphile-worker on a PostgreSQL of its own: plain, and with its batching options.
import { peerAdapter, peerVersion } from "../peers.ts";
import { findPostgres, type PostgresProgram, startPostgres } from "../servers/postgres.ts";
import type { System } from "../system.ts";

let program: PostgresProgram;

function graphileWith(name: string, title: string, settings: string, durability: string): System {
  return {
    name,
    title,
    isPeer: true,
    adapter: peerAdapter(name),
    settings: `PostgreSQL as initdb leaves it (fsync on, synchronous_commit on), max_connections 500; ${settings}`,
    onDisk: "at once",
    durability,
    offersResults: false,
    ...(name === "graphile" && { share: 0.2 }),
    async prepare() {
      program = await findPostgres();
      return `graphile-worker ${await peerVersion("graphile-worker")}, PostgreSQL ${program.version}`;
    },
    async start() {
      const { url, pid, stop } = await startPostgres(program);
      return { url, pids: { server: pid }, stop };
    },
  };
}

const committed = "an acknowledged write is on the disk (fsync): it survives a power cut";

export const graphile = graphileWith(
  "graphile",
  "graphile-worker",
  "addJobs; concurrentJobs 100 and maxPoolSize 102 a worker",
  committed,
);

export const graphileBatched = graphileWith(
  "graphile-batched",
  "graphile-worker, batched",
  "addJobs; concurrentJobs 100 and maxPoolSize 102 a worker, localQueue { size: 500 }, completeJobBatchDelay 0, failJobBatchDelay 0, as its performance page has them",
  `${committed}; runs in a worker's local queue or just completed are locked for up to 4 hours when the worker dies`,
);
