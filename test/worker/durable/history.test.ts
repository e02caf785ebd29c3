import assert from "node:assert/strict";
import { encodeJournalMessage, type JournalMessage } from "../../../src/wire/journal-message.ts";
import { historyOf } from "../../../src/worker/durable/history.ts";
import { test } from "../../support/harness.ts";

const message = { turn: 1, attempt: 7, number: 1, time: 1_000, begins: false, deliveries: [] };
const step = { kind: "step", form: "value", time: 1_000, sequence: 0, hash: 1, name: "charge", value: "1" } as const;
const recordsOf = (...messages: readonly Partial<JournalMessage>[]) =>
  messages.map((each, i) => ({ seq: i + 1, data: encodeJournalMessage({ ...message, ...each }) }));

test("historyOf begins with the newest lap, also when records of the one before were read with it", () => {
  const lap = { lap: 2, input: "5", cursors: {} };
  const records = recordsOf(
    { deliveries: [{ ...step, ordinal: 0 }] },
    { lap, time: 2_000 },
    { deliveries: [{ ...step, ordinal: 0, value: "2" }] },
  );
  const history = historyOf(records, 2)!;
  assert.deepEqual([history.lap, history.startedAt, history.lastSeq], [lap, 2_000, 3]);
  assert.deepEqual(
    history.deliveries.map(({ value }) => value),
    ["2"],
  );
});

test("historyOf says whether anything was delivered behind a message", () => {
  const { hasMoreThan } = historyOf(recordsOf({ deliveries: [{ ...step, ordinal: 0 }] }, { returns: true }), 2)!;
  assert.deepEqual([hasMoreThan(0), hasMoreThan(1), historyOf([], 2)!.hasMoreThan(0)], [true, false, false]);
});
