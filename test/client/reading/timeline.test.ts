import assert from "node:assert/strict";
import { readTimeline } from "../../../src/client/reading/journal-reader.ts";
import { type Delivery, encodeJournalMessage, type JournalMessage, noOp } from "../../../src/wire/journal-message.ts";
import { test } from "../../support/harness.ts";

const plain = { time: 1_000, sequence: 0, hash: 0 };
const step = (ordinal: number, form: Delivery["form"], value: string): Delivery => ({
  ...plain,
  kind: "step",
  form,
  ordinal,
  name: "charge",
  value,
});
const message = (turn: number, deliveries: readonly Delivery[], more: Partial<JournalMessage> = {}) => ({
  ...{ seq: 1, subject: "", time: 0 },
  data: encodeJournalMessage({ turn, attempt: 1, number: 1, time: 1_000, begins: false, deliveries, ...more }),
});

test("a timeline says what the code got at each op of the current lap, in order", async () => {
  const lap = { lap: 2, input: "", cursors: {} };
  const wish: Delivery = { ...plain, kind: "signal", form: "cancel", ordinal: noOp, name: "$cancel", value: "" };
  const stored = [
    message(1, [step(0, "value", "1")]),
    message(1, [], { lap }),
    message(2, [step(0, "retry", ""), step(0, "part", "1")]),
    message(3, [step(0, "value", '{"paid":true}'), wish]),
  ];
  const asked: unknown[] = [];
  const journals = {
    async read(run: unknown) {
      asked.push(run);
      return stored;
    },
  };
  const run = { key: "flow/a", origin: 7 };
  const charge = { op: 0, kind: "step", name: "charge", at: 1_000 };
  assert.deepEqual(await readTimeline(journals, run), {
    lap: 2,
    entries: [
      { ...charge, outcome: "retry", turn: 2 },
      { ...charge, outcome: "value", turn: 3, value: { paid: true } },
      { kind: "signal", name: "$cancel", outcome: "cancelled", at: 1_000, turn: 3 },
    ],
  });
  assert.deepEqual(asked, [run]);
});
