import assert from "node:assert/strict";
import { MalformedRecord } from "../../src/domain/errors.ts";
import { entryOfOrigin, originIn } from "../../src/domain/origin.ts";
import {
  encodeBundle,
  encodeCompactedBundle,
  isBundle,
  mostBundled,
  runsOfBundle,
} from "../../src/wire/bundle-entry.ts";
import { noBytes } from "../../src/wire/bytes.ts";
import { decodeRunEntry, type RunEntry, runForm } from "../../src/wire/run-entry.ts";
import { test } from "../support/harness.ts";
import { Random } from "../support/random.ts";

const shared: RunEntry = {
  form: runForm.new,
  priority: 3,
  createdAt: 1_700_000_000_000,
  dueAt: 1_700_000_060_000,
  isDated: false,
  scheduleTimeoutMs: null,
  inbox: "_INBOX.a",
  extra: { metadata: { of: "ü" } },
  input: noBytes,
};

test("a bundle brings back each run: what all share, its id, its input", () => {
  const random = new Random();
  for (const count of [1, 2, 17, mostBundled]) {
    const ids = Array.from({ length: count }, (_, i) => `id${i}`);
    const inputs = ids.map(() => random.bytes(50));
    const entry = decodeRunEntry(encodeBundle(shared, ids, inputs));
    assert.ok(isBundle(entry));
    assert.deepEqual(
      runsOfBundle(entry).map(({ id, entry: { input, ...rest } }) => ({ id, input: [...input], rest })),
      ids.map((id, i) => {
        const { input: _, ...rest } = shared;
        return { id, input: [...inputs[i]!], rest };
      }),
      random.label,
    );
  }
});

test("a compacted bundle brings back runs of which each has a state of its own", () => {
  const state = {
    asOf: 9,
    origin: 4.5,
    turn: 2,
    attempt: 2,
    lost: 0,
    dueAt: 0,
    readyAt: 5,
    retrying: false,
    history: [],
  };
  const ended = { asOf: 9, origin: 4.75, kind: "failed" as const, seq: 7, index: 1, at: 5 };
  const runs = [
    { id: "a", entry: { ...shared, form: runForm.live, extra: { state }, input: new Uint8Array([1, 2]) } },
    { id: "b", entry: { ...shared, priority: 1, form: runForm.finished, extra: { state: ended }, inbox: "" } },
  ];
  const entry = decodeRunEntry(encodeCompactedBundle(runs));
  assert.ok(isBundle(entry));
  assert.deepEqual(
    runsOfBundle(entry).map((run) => ({ ...run, entry: { ...run.entry, input: Uint8Array.from(run.entry.input) } })),
    runs,
  );
});

test("a bundle that is cut off, or counts wrong, is malformed", () => {
  const bytes = encodeBundle(shared, ["a", "b"], [new Uint8Array(3), new Uint8Array(4)]);
  const start = bytes.length - decodeRunEntry(bytes).input.length;
  for (let length = start; length < bytes.length; length++)
    assert.throws(() => runsOfBundle(decodeRunEntry(bytes.slice(0, length))), MalformedRecord, String(length));
  const more = bytes.slice();
  more[start] = 3; // count
  assert.throws(() => runsOfBundle(decodeRunEntry(more)), MalformedRecord);
});

test("an origin sorts by entry, then by place, and knows its entry", () => {
  const origins = [originIn(7, 0), originIn(7, 1), originIn(7, mostBundled - 1), originIn(8, 0)];
  assert.deepEqual(
    origins.toSorted((a, b) => a - b),
    origins,
  );
  assert.equal(new Set(origins).size, 4);
  const far = originIn(2 ** 38, mostBundled - 1);
  assert.ok(far > originIn(2 ** 38, mostBundled - 2));
  assert.deepEqual([...origins, far].map(entryOfOrigin), [7, 7, 7, 8, 2 ** 38]);
});
