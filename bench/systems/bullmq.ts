// BullMQ on a Redis of its own.
import { peerAdapter, peerVersion } from "../peers.ts";
import { findRedis, type RedisProgram, startRedis } from "../servers/redis.ts";
import type { System } from "../system.ts";

let program: RedisProgram;

export const bullmq: System = {
  name: "bullmq",
  title: "BullMQ",
  isPeer: true,
  adapter: peerAdapter("bullmq"),
  settings:
    "Redis with appendonly yes, appendfsync everysec, no snapshots, noeviction; ioredis; addBulk; removeOnComplete { count: 1000 }; concurrency 100 a worker; results by QueueEvents and waitUntilFinished",
  onDisk: "within 1 s",
  durability:
    "an acknowledged write is in the page cache: it survives the end of every process, a power cut takes up to 1 second",
  offersResults: true,
  takesWorkloads: true,
  async prepare() {
    program = await findRedis();
    return `BullMQ ${await peerVersion("bullmq")}, ioredis ${await peerVersion("ioredis")}, Redis ${program.version}`;
  },
  async start() {
    const redis = await startRedis(program);
    return { url: `redis://127.0.0.1:${redis.port}`, pids: { server: redis.pid }, stop: redis.stop };
  },
};
