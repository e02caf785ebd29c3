// What folding costs without a server: `bun bench/fold.ts [runs]`. A log in memory is read and folded, as a standby does, and as a leader does whose
// one worker finishes at once. Prints the CPU time for a run; compare two checkouts in turns, by their minima.
import { originIn } from "../src/domain/origin.ts";
import { type LogMessage, readEntry } from "../src/fold/read-entry.ts";
import { newIdentity } from "../src/runtime/worker-identity.ts";
import type { SchedulerEvent } from "../src/scheduler/events.ts";
import { Faults } from "../src/scheduler/faults.ts";
import { createScheduler } from "../src/scheduler/scheduler.ts";
import { step } from "../src/scheduler/step.ts";
import { encodeBundle } from "../src/wire/bundle-entry.ts";
import { jsonBytes, noBytes } from "../src/wire/bytes.ts";
import { encodeOutcomeEntry, encodeOutcomeFrame } from "../src/wire/outcome-entry.ts";
import { plainEntry } from "../src/wire/run-entry.ts";
import { Subjects } from "../src/wire/subjects.ts";

const runs = Number(process.argv[2] ?? 100_000);
const rounds = 7;
const bundled = 250;
const together = 50;
const at = 1_700_000_000_000;
const subjects = new Subjects("bench");
const worker = newIdentity("").id;
const input = jsonBytes({ n: 12_345, text: "x".repeat(80) });
const output = jsonBytes({ n: 12_345 });

/** Bundles of new runs, each followed by the outcomes of its runs. */
function makeLog(): LogMessage[] {
  const log: LogMessage[] = [];
  const append = (subject: string, data: Uint8Array) => log.push({ seq: log.length + 1, subject, data, at });
  for (let first = 0; first < runs; first += bundled) {
    const ids = Array.from({ length: bundled }, (_, place) => `run-${String(first + place).padStart(22, "0")}`);
    const bundle = { ...plainEntry, createdAt: at };
    const seq = append(
      subjects.bundle("noop", ids[0]!),
      encodeBundle(
        bundle,
        ids,
        ids.map(() => input),
      ),
    );
    const frames = ids.map((id, place) => frameOf(`noop/${id}`, originIn(seq, place)));
    for (let from = 0; from < bundled; from += together)
      append(
        subjects.outcome("worker", worker, log.length),
        encodeOutcomeEntry("worker", frames.slice(from, from + together)),
      );
  }
  return log;
}

function frameOf(key: string, origin: number): Uint8Array {
  const plain = { createdAt: at, startedAt: at, priority: 0 };
  const head = { kind: "completed" as const, key, turn: 1, attempt: 1, origin, at, dueAt: 0 };
  return encodeOutcomeFrame({ ...head, detail: noBytes, plain, input, output });
}

function standBy(log: readonly LogMessage[]): void {
  const state = createScheduler({ hashSeed: 1 }, new Faults());
  for (const message of log) step(state, readEntry(subjects, message), at);
}

function lead(log: readonly LogMessage[]): void {
  const state = createScheduler({ hashSeed: 1 }, new Faults());
  let assigned = 0;
  const give = (event: SchedulerEvent): void => {
    for (const command of step(state, event, at)) {
      if (command.type === "assign") {
        assigned += command.runs.length;
        give({ type: "assigned", id: worker, batch: command.batch, refused: [] });
      } else if (command.type === "askForEnd") give({ type: "heard", at, gaps: command.gaps });
      else if (command.type === "purge") give({ type: "purged", filter: command.filter, keepFrom: command.keepFrom });
    }
  };
  give({ type: "lead", epoch: 1, knownWorkers: [] });
  give({ type: "register", message: { ...registration, id: worker, name: worker } });
  for (const message of log) {
    give(readEntry(subjects, message));
    give({ type: "tick" });
  }
  if (assigned < runs) throw new Error(`${assigned} of ${runs} runs were assigned`);
}

const task = { name: "noop", timeoutMs: 300_000, scheduleTimeoutMs: null, priority: 1, retries: 0 };
const registration = {
  ...{ v: 2 as const, slots: 1_000, labels: {}, runtime: "bench", version: "0", quiet: false, executing: [] },
  tasks: [{ ...task, inputSchema: null, outputSchema: null }],
};

const log = makeLog();
const kinds = {
  read: () => {
    for (const message of log) readEntry(subjects, message);
  },
  "read and fold": () => standBy(log),
  "read, fold and lead": () => lead(log),
};
for (const [name, act] of Object.entries(kinds)) {
  const spans = Array.from({ length: rounds }, () => {
    const before = process.cpuUsage();
    act();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / runs;
  });
  console.log(`${name}: ${Math.min(...spans).toFixed(2)} µs a run at best of ${rounds}`);
}
