// graphile-worker on a PostgreSQL of its own: plain, with the batching options of its performance page, and as fast as it goes here.
import { peerAdapter, peerVersion } from "../peers.ts";
import { findPostgres, type PostgresProgram, startPostgres } from "../servers/postgres.ts";
import type { System } from "../system.ts";

let program: PostgresProgram;

interface Variant {
  readonly name: string;
  readonly title: string;
  readonly settings: string;
  readonly durability: string;
  /** A commit waits for the disk. */
  readonly syncs: boolean;
  readonly share?: number;
}

function graphileWith({ name, title, settings, durability, syncs, share }: Variant): System {
  const commits = syncs ? "fsync on, synchronous_commit on" : "fsync on, synchronous_commit off";
  return {
    name,
    title,
    isPeer: true,
    adapter: peerAdapter(name),
    settings: `PostgreSQL as initdb leaves it (${commits}), max_connections 500; ${settings}`,
    onDisk: syncs ? "at once" : "within 1 s",
    durability,
    offersResults: false,
    ...(share !== undefined && { share }),
    async prepare() {
      program = await findPostgres();
      return `graphile-worker ${await peerVersion("graphile-worker")}, PostgreSQL ${program.version}`;
    },
    async start() {
      const { url, pid, stop } = await startPostgres(program, syncs);
      return { url, pids: { server: pid }, stop };
    },
  };
}

const committed = "an acknowledged write is on the disk (fsync): it survives a power cut";
const soon =
  "an acknowledged write is in memory: it survives the end of every client and worker, a power cut or a crash of the server takes up to 0.6 seconds";
const locked = "runs in a worker's local queue or just completed are locked for up to 4 hours when the worker dies";

export const graphile = graphileWith({
  name: "graphile",
  title: "graphile-worker",
  settings: "addJobs; concurrentJobs 100 and maxPoolSize 102 a worker",
  durability: committed,
  syncs: true,
  share: 0.2,
});

export const graphileBatched = graphileWith({
  name: "graphile-batched",
  title: "graphile-worker, batched",
  settings:
    "addJobs; concurrentJobs 100 and maxPoolSize 102 a worker, localQueue { size: 500 }, completeJobBatchDelay 0, failJobBatchDelay 0, as its performance page has them",
  durability: `${committed}; ${locked}`,
  syncs: true,
});

/** What drains a backlog fastest of all that was tried: each fetch costs the more the longer the table is, so it must bring much. */
export const graphileFast = graphileWith({
  name: "graphile-fast",
  title: "graphile-worker, large batches",
  settings:
    "addJobs; concurrentJobs 100 and maxPoolSize 102 a worker, localQueue { size: 20000 }, completeJobBatchDelay 10, failJobBatchDelay 10",
  durability: `${soon}; ${locked}`,
  syncs: false,
});
