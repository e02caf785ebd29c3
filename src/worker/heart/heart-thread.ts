// Runs in a thread: sleeps, and checks now and then whether the event loop of the process has turned. Only if it has not, the
// thread connects and sends heartbeats on behalf of its workers.
import { parentPort, workerData } from "node:worker_threads";
import type { Register } from "../../wire/worker-messages.ts";
import { blockedAfterMs, cell, type HeartData, type TasksToHeart, type ToHeart } from "./heart-data.ts";

const lookEveryMs = 1_500;
const { cells } = workerData as HeartData;
let told: ToHeart | undefined;
const tasks = new Map<string, string>();
parentPort!.on("message", (message: ToHeart | TasksToHeart) => {
  if ("worker" in message) tasks.set(message.worker, message.tasks);
  else told = message;
});

/** The registrations of the workers. */
function described(workers: string): Register[] {
  const all = JSON.parse(workers) as readonly Omit<Register, "tasks">[];
  return all.map((worker) => ({ ...worker, tasks: JSON.parse(tasks.get(worker.id) ?? "[]") }));
}

const hasEnded = () => Atomics.load(cells, cell.ended) === 1;
const turns = () => Atomics.load(cells, cell.turns);
const messagesRead = () => new Promise((resolve) => setTimeout(resolve, 0));

parentPort!.postMessage("running");
let seen = turns();
let seenAt = performance.now();
// Asleep it costs nothing: no connection, no library loaded, no garbage.
while (Atomics.wait(cells, cell.ended, 0, lookEveryMs) === "timed-out") {
  await messagesRead();
  if (turns() !== seen) {
    seen = turns();
    seenAt = performance.now();
    continue;
  }
  if (told === undefined || performance.now() - seenAt < blockedAfterMs) continue;
  const { beatUntil } = await import("./heart-beats.ts");
  const { nats, workers } = told;
  await beatUntil(JSON.parse(nats), {
    isOver: () => turns() !== seen || hasEnded(),
    workers: () => described(workers),
    lagMs: () => Math.round(performance.now() - seenAt),
    onHeard: (lagMs) => {
      Atomics.store(cells, cell.heardAfter, lagMs);
      Atomics.store(cells, cell.heardIn, seen);
    },
  });
}
process.exit(0); // ends the thread alone
