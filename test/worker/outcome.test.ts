// The outcome of a run always fits an entry, whatever its output, its history and its metadata weigh.
import assert from "node:assert/strict";
import { checkTask } from "../../src/domain/task.ts";
import { jsonBytes, jsonOf, noBytes } from "../../src/wire/bytes.ts";
import { decodeOutcomeEntry, encodeOutcomeEntry } from "../../src/wire/outcome-entry.ts";
import type { FinalDetail } from "../../src/wire/story.ts";
import type { Attempt } from "../../src/worker/attempt.ts";
import { outcomeOf } from "../../src/worker/outcome.ts";
import type { Verdict } from "../../src/worker/verdict.ts";
import { test } from "../support/harness.ts";

const maxPayload = 64 * 1_024;
const options = { worker: "w", maxPayload, random: () => 0.5 };
const input = jsonBytes("i".repeat(4_000));

const failure = { name: "Error", message: "m".repeat(4_000), stack: "s".repeat(2_000) };
const history = Array.from({ length: 1_000 }, (_, n) => ({
  ...{ attempt: n + 1, turn: n + 1, worker: "w", startedAt: 1, endedAt: 2, outcome: "retry" as const, error: failure },
}));

function ended(verdict: Verdict, beside: Partial<Attempt> = {}) {
  const attempt = {
    task: { ...checkTask("t", {}), handler: () => 1 },
    assignment: {
      ...{ key: "t/1", priority: 1, turn: 1, attempt: 1, origin: 1, createdAt: 1, waiter: "", follows: false },
      ...{ extra: noBytes, input },
    },
    storedHistory: [],
    metadata: undefined,
    startedAt: 1,
    ...beside,
  } as unknown as Attempt;
  const { frame } = outcomeOf(attempt, verdict, 2, options);
  const entry = encodeOutcomeEntry("worker", [frame]);
  assert.ok(entry.length < maxPayload, `${entry.length} bytes`);
  return decodeOutcomeEntry(entry).outcomes[0]!;
}

const failed = (verdict: Verdict, beside?: Partial<Attempt>) => {
  const outcome = ended(verdict, beside);
  assert.equal(outcome.kind, "failed");
  return outcome.detail as FinalDetail;
};

test("outcome: an output that leaves no room for the input completes without it, and says so", () => {
  const roomy = ended({ kind: "completed", output: "o" });
  assert.deepEqual([roomy.kind, roomy.inputIsGone, jsonOf(roomy.input)], ["completed", false, "i".repeat(4_000)]);
  const output = "o".repeat(maxPayload - 1_000);
  for (const beside of [{}, { metadata: { of: "a" } }]) {
    const full = ended({ kind: "completed", output }, beside);
    assert.deepEqual([full.kind, full.inputIsGone, full.input.length], ["completed", true, 0]);
    assert.equal(jsonOf(full.output), output);
  }
});

test("outcome: an output that does not fit fails the run, with both sizes and what stands beside it", () => {
  const large = { kind: "completed", output: "o".repeat(maxPayload) } as const;
  const { error } = failed(large);
  assert.match(error!.message, /^the output of task "t" is 65\d\d\d bytes, but the server accepts at most 65536/);
  const beside = failed({ kind: "completed", output: "o".repeat(40_000) }, { metadata: { m: "m".repeat(30_000) } });
  assert.match(
    beside.error!.message,
    /with the metadata and the history of its run \(30\d\d\d bytes\), is 70\d\d\d bytes/,
  );
});

test("outcome: a failure fits whatever came before it", () => {
  const { attempts, error } = failed(
    { kind: "failed", error: new Error("last"), isFinal: true },
    { storedHistory: history },
  );
  assert.deepEqual([error!.message, attempts.at(-1)!.outcome], ["last", "failed"]);
  const metadata = { m: "m".repeat(maxPayload - 5_000) };
  const bare = failed(
    { kind: "failed", error: new Error("e".repeat(4_000)), isFinal: true },
    { storedHistory: history, metadata },
  );
  assert.deepEqual([bare.attempts, bare.error!.name], [[], "Error"]);
});
