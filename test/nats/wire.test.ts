// The two things that are read by hand because every message of the hot path carries one.
import assert from "node:assert/strict";
import { deliveryOf } from "../../src/nats/ack-subject.ts";
import { ackedSeq } from "../../src/nats/pub-ack.ts";
import { utf8 } from "../../src/wire/bytes.ts";
import { test } from "../support/harness.ts";

test("ackedSeq: reads the sequence of an acknowledgement, whatever surrounds it", () => {
  assert.equal(ackedSeq(utf8('{"stream":"NATCHET_a", "seq":17}')), 17);
  assert.equal(ackedSeq(utf8('{"stream":"NATCHET_a","seq":9007199254740991,"duplicate":true}')), 9007199254740991);
  assert.equal(ackedSeq(utf8('{"stream":"s", "domain":"hub", "seq":5}')), 5);
  assert.equal(ackedSeq(utf8('{"stream":"seq", "seq":6}')), 6);
});

test("ackedSeq: anything else is no acknowledgement", () => {
  assert.equal(ackedSeq(utf8('{"error":{"code":400,"err_code":10071,"description":"x"},"stream":"s","seq":0}')), 0);
  assert.equal(ackedSeq(utf8("")), 0);
  assert.equal(ackedSeq(utf8('{"stream":"NATCHET_a"}')), 0);
});

test("deliveryOf: reads the short and the long form of a reply subject", () => {
  const delivery = { seq: 1234, delivered: 7, pending: 88, at: 1_700_000_000_123 };
  assert.deepEqual(deliveryOf("$JS.ACK.NATCHET_a.log1.1.1234.7.1700000000123999999.88"), delivery);
  assert.deepEqual(deliveryOf("$JS.ACK._.hash.NATCHET_a.log1.1.1234.7.1700000000123999999.88"), delivery);
  assert.deepEqual(deliveryOf("$JS.ACK.hub.hash.NATCHET_a.log1.1.1234.7.1700000000123999999.88.token"), delivery);
});
