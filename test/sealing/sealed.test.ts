import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { openInput, plainFieldsIn, sealedInput } from "../../src/sealing/sealed.ts";
import { Vault } from "../../src/sealing/vault.ts";
import { jsonBytes } from "../../src/wire/bytes.ts";
import { test } from "../support/harness.ts";

const vault = await Vault.open({ current: "k1", keys: { k1: randomBytes(32) }, plain: { charge: ["a"] } }, "tests");

test("sealedInput leaves readable what the process, the code and the caller declare plain, and nothing else", () => {
  vault.declare("charge", ["b"]);
  vault.declare("other", ["d"]);
  const value = { a: 1, b: [2], c: 3, d: 4 };
  const sealed = sealedInput(vault, "charge", { value, json: jsonBytes(value), plain: ["c", "missing"] });
  const { $sealed, ...beside } = sealed;
  assert.equal(typeof $sealed, "string");
  assert.deepEqual(beside, { a: 1, b: [2], c: 3 });
  assert.deepEqual(openInput(vault, "charge", "charge/x", sealed), value);
});

test("plainFieldsIn names what stood beside a ciphertext and in it, and not what somebody has put there", () => {
  const value = { a: 1, card: "4111" };
  const sealed = sealedInput(vault, "charge", { value, json: jsonBytes(value) });
  assert.deepEqual(plainFieldsIn(sealed, value), ["a"]);
  assert.deepEqual(plainFieldsIn({ ...sealed, card: "?", more: 1 }, value), ["a"]);
  assert.deepEqual(plainFieldsIn({ a: 1 }, { a: 1 }), []);
  assert.deepEqual(plainFieldsIn(sealed, null), []);
});
