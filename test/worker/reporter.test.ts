// Outcomes are grouped: in what order, and at what price.
import assert from "node:assert/strict";
import type { AppendResult, Publisher } from "../../src/nats/publisher.ts";
import { jsonBytes, noBytes } from "../../src/wire/bytes.ts";
import { decodeOutcomeEntry, encodeOutcomeFrame } from "../../src/wire/outcome-entry.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import type { Attempt } from "../../src/worker/attempt.ts";
import { type Report, Reporter } from "../../src/worker/reporter.ts";
import { test } from "../support/harness.ts";

const subjects = new Subjects("test");

/** A reporter whose entries are stored when the test says so. */
function stage(entryBytes: number) {
  const appended: { readonly waiter: string; readonly keys: string[]; readonly store: () => void }[] = [];
  const append = (subject: string, entry: Uint8Array) =>
    new Promise<AppendResult>((resolve) => {
      const { waiter } = subjects.parseOutcome(subject);
      const keys = decodeOutcomeEntry(entry).outcomes.map(({ key }) => key);
      appended.push({ waiter, keys, store: () => resolve({ ok: true, seq: 1 }) });
    });
  const reporter = new Reporter({
    worker: "w1",
    publisher: { append } as unknown as Publisher,
    witness: undefined,
    subjects,
    entryBytes: () => entryBytes,
    undecided: () => 1,
    onStored: () => {},
    onTrouble: () => {},
  });
  /** Stores everything, until nothing more comes. */
  const storeAll = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    for (let at = 0; at < appended.length; at++) {
      appended[at]!.store();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await reporter.idle();
  };
  return { reporter, appended, storeAll };
}

const frameOf = (key: string): Uint8Array =>
  encodeOutcomeFrame({
    ...{ kind: "completed", key, turn: 1, attempt: 1, origin: 1, at: 1, dueAt: 0 },
    ...{ detail: noBytes, input: noBytes, output: jsonBytes("x".repeat(1_000)) },
  });

test("reporter: ten thousand outcomes that end together are each looked at a few times, not once for every entry", async () => {
  const { reporter, appended, storeAll } = stage(50_000);
  let looks = 0;
  const reportOf = (n: number): Report => {
    const frame = frameOf(`t/${n}`);
    return {
      ...{ attempt: {} as Attempt, waiter: "" },
      get frame() {
        looks += 1;
        return frame;
      },
    };
  };
  const many = 10_000;
  for (let n = 0; n < many; n++) reporter.report(reportOf(n));
  await storeAll();
  assert.deepEqual(
    appended.flatMap(({ keys }) => keys),
    Array.from({ length: many }, (_, n) => `t/${n}`),
  );
  assert.ok(appended.length > 200, `${appended.length} entries`);
  assert.ok(looks <= many * 6, `${looks} looks`);
});

test("reporter: an entry is of one client; each has its turn, however much another has to hear", async () => {
  const { reporter, appended, storeAll } = stage(5_000);
  for (let n = 0; n < 30; n++) reporter.report({ attempt: {} as Attempt, waiter: "busy", frame: frameOf(`t/b${n}`) });
  reporter.report({ attempt: {} as Attempt, waiter: "quiet", frame: frameOf("t/q") });
  await storeAll();
  assert.deepEqual(
    appended.slice(0, 2).map(({ waiter }) => waiter),
    ["busy", "quiet"],
  );
  assert.equal(new Set(appended.flatMap(({ keys }) => keys)).size, 31);
});
