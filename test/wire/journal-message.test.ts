import assert from "node:assert/strict";
import {
  decodeJournalMessage,
  encodeJournalMessage,
  type JournalMessage,
  mostBytesOfDelivery,
  noOp,
} from "../../src/wire/journal-message.ts";
import { test } from "../support/harness.ts";
import { Random } from "../support/random.ts";

const message: JournalMessage = {
  ...{ turn: 3, attempt: 2 ** 52, number: 7, time: 1_700_000_000_123, begins: true, starts: true },
  deliveries: [
    { kind: "step", form: "value", ordinal: 0, time: 5, sequence: 0, hash: 0xffff_ffff, name: "größe", value: '"🦕"' },
    { kind: "signal", form: "cancel", ordinal: noOp, time: 6, sequence: 2 ** 40, hash: 0, name: "$cancel", value: "" },
    { kind: "children", form: "part", ordinal: 9, time: 7, sequence: 1, hash: 1, name: "resize", value: "[]" },
  ],
};

test("decodeJournalMessage reads what encodeJournalMessage wrote", () => {
  assert.deepEqual(decodeJournalMessage(encodeJournalMessage(message)), message);
  const lap = { lap: 2, input: '{"a":1}', cursors: { approve: 4 } };
  const restarted = { ...message, begins: false, starts: undefined, returns: true, lap, deliveries: [] };
  const { starts: _, ...read } = restarted;
  assert.deepEqual(decodeJournalMessage(encodeJournalMessage(restarted as unknown as JournalMessage)), read);
});

test("mostBytesOfDelivery is never less than what a delivery takes", () => {
  const empty = encodeJournalMessage({ ...message, deliveries: [] }).length;
  const random = new Random();
  for (let i = 0; i < 200; i++) {
    const delivery = { ...message.deliveries[0]!, name: random.text(0, 20), value: random.text(0, 50) };
    const bytes = encodeJournalMessage({ ...message, deliveries: [delivery] }).length - empty;
    assert.ok(bytes <= mostBytesOfDelivery(delivery), random.label);
  }
});

test("decodeJournalMessage refuses cut and foreign bytes with a MalformedRecord", () => {
  const bytes = encodeJournalMessage(message);
  for (let length = 0; length < bytes.length; length++)
    assert.throws(() => decodeJournalMessage(bytes.subarray(0, length)), { name: "MalformedRecord" });
  const newer = bytes.slice();
  newer[0] = 2;
  assert.throws(() => decodeJournalMessage(newer), { name: "MalformedRecord" });
  const random = new Random();
  for (let i = 0; i < 2_000; i++) {
    const broken = bytes.slice();
    broken[random.whole(0, broken.length - 1)] = random.whole(0, 255);
    try {
      decodeJournalMessage(broken);
    } catch (error) {
      assert.equal((error as Error).name, "MalformedRecord", random.label);
    }
  }
});
