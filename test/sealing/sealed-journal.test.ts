import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { DecryptionFailed } from "../../src/domain/errors.ts";
import { assertPlainMessage, keyIdOfMessage, openMessage, sealMessage } from "../../src/sealing/sealed-journal.ts";
import { Vault } from "../../src/sealing/vault.ts";
import { decodeJournalMessage, encodeJournalMessage, type JournalMessage } from "../../src/wire/journal-message.ts";
import { test } from "../support/harness.ts";

const secret = "4111-1111";
const vault = await Vault.open({ current: "k1", keys: { k1: randomBytes(32) } }, "tests");
const run = { key: "flow/a", origin: 7 };
const message: JournalMessage = {
  ...{ turn: 2, attempt: 5, number: 3, time: 1_000, begins: true },
  lap: { lap: 2, input: JSON.stringify(secret), cursors: { approve: 9 } },
  deliveries: [
    {
      ...{ kind: "step", form: "value", ordinal: 0, time: 1_000, sequence: 0, hash: 77, name: "charge" },
      value: JSON.stringify({ card: secret }),
    },
  ],
};
const plain = encodeJournalMessage(message);

test("sealMessage leaves who wrote it and what it was, without values and hashes, and openMessage gives the same bytes", () => {
  const stored = sealMessage(vault, run, plain, 1_000);
  assert.equal(Buffer.from(stored).includes(secret), false);
  const { sealed, ...shown } = decodeJournalMessage(stored);
  const [delivery] = message.deliveries;
  assert.deepEqual(shown, {
    ...message,
    lap: { ...message.lap, input: "" },
    deliveries: [{ ...delivery, hash: 0, value: "" }],
  });
  assert.equal(keyIdOfMessage({ ...shown, sealed }, run.key), "k1");
  assert.deepEqual(new Uint8Array(openMessage(vault, run, stored) as Uint8Array), plain);
});

test("sealMessage shows nothing but its writer and its lap where there is no room for more", () => {
  const stored = sealMessage(vault, run, plain, 0);
  const { turn, attempt, number, lap, deliveries } = decodeJournalMessage(stored);
  assert.deepEqual([turn, attempt, number, lap, deliveries], [2, 5, 3, { lap: 2, input: "", cursors: {} }, []]);
  assert.ok(stored.length < plain.length + 256);
  assert.deepEqual(new Uint8Array(openMessage(vault, run, stored) as Uint8Array), plain);
});

test("openMessage gives what was never sealed as it is, and refuses what belongs to another run", () => {
  assert.equal(openMessage(vault, run, plain), plain);
  const stored = sealMessage(vault, run, plain, 1_000);
  for (const other of [
    { ...run, origin: 8 },
    { ...run, key: "flow/b" },
  ])
    assert.throws(() => openMessage(vault, other, stored), { _tag: "DecryptionFailed", keyId: "k1", run: other.key });
});

test("assertPlainMessage names the key that a process without keys lacks", () => {
  assertPlainMessage(decodeJournalMessage(plain), run.key);
  const stored = decodeJournalMessage(sealMessage(vault, run, plain, 1_000));
  assert.throws(
    () => assertPlainMessage(stored, run.key),
    (error) => error instanceof DecryptionFailed && error.keyId === "k1",
  );
});

test("openMessage gives a plain message as it is; where encryption is required, only one that says no more than whose turn it is", async () => {
  const options = { current: "k1", keys: { k1: randomBytes(32) } };
  const strict = await Vault.open({ ...options, required: true }, "tests");
  const { lap: _, ...bare } = { ...message, deliveries: [] };
  const closing = encodeJournalMessage(bare);
  assert.equal(openMessage(vault, run, plain), plain);
  assert.equal(openMessage(strict, run, closing), closing);
  const forged = [message, { ...bare, lap: message.lap }, { ...bare, starts: true }, { ...message, lap: undefined }];
  for (const one of forged)
    assert.throws(
      () => openMessage(strict, run, encodeJournalMessage(one)),
      (error) =>
        error instanceof DecryptionFailed && /journal is not encrypted.*encryption\.required/.test(error.message),
    );
  assert.deepEqual(
    new Uint8Array(openMessage(strict, run, sealMessage(strict, run, plain, 1_000)) as Uint8Array),
    plain,
  );
});
