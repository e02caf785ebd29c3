// Runs in a thread: hears the event loop of the process turn, and beats in the place of its workers while it does not.
import { parentPort, workerData } from "node:worker_threads";
import { Effect } from "effect";
import { connectNats } from "../nats/connection.ts";
import type { NatsLink } from "../nats/link.ts";
import { decodeHeartbeatReply, encodeMessage, type Register } from "../protocol/messages.ts";
import { Subjects } from "../protocol/subjects.ts";
import { blockedAfterMs, type HeartData, type LoopTurns } from "./heart.ts";

const beatEveryMs = 4_000;
const lookEveryMs = 1_000;
const { nats } = JSON.parse(workerData as string) as HeartData;
const subjects = new Subjects(nats.namespace);
let workers: readonly Register[] = [];
let heardAt = performance.now();
let beatAt = Number.NEGATIVE_INFINITY;

const ended = new Promise<void>((resolve) => {
  parentPort!.on("message", (text: string) => {
    heardAt = performance.now();
    if (text === "end") resolve();
    else ({ workers } = JSON.parse(text) as LoopTurns);
  });
});

function look(link: NatsLink): void {
  const now = performance.now();
  const lagMs = Math.round(now - heardAt);
  if (lagMs < blockedAfterMs || now - beatAt < beatEveryMs || !link.isConnected()) return;
  beatAt = now;
  for (const worker of workers) void beat(link, worker, lagMs).catch(() => {}); // nobody leads just now; the next beat comes
}

/** What it executes is not said: nothing has ended while the loop was blocked. A leader that does not know the worker is told all. */
async function beat(link: NatsLink, worker: Register, lagMs: number): Promise<void> {
  const message = encodeMessage({ id: worker.id, executing: [], quiet: worker.quiet, lagMs, blocked: true });
  const reply = await link.nc.request(subjects.engine("heartbeat"), message, { timeout: 3_000 });
  if (decodeHeartbeatReply(reply.data).known) return;
  const register = encodeMessage({ ...worker, blocked: true });
  await link.nc.request(subjects.engine("register"), register, { timeout: 3_000 });
}

const program = Effect.gen(function* () {
  const link = yield* connectNats({ ...nats, name: "natchet heart" });
  const timer = setInterval(() => look(link), lookEveryMs);
  yield* Effect.promise(() => ended);
  clearInterval(timer);
}).pipe(Effect.scoped);

await Effect.runPromise(Effect.retry(program, { while: () => Effect.as(Effect.sleep("2 seconds"), true) }));
process.exit(0); // ends the thread alone
