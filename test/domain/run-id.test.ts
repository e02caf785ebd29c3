import assert from "node:assert/strict";
import { assertRunId, decodeRunId, encodeRunId, makeRunIdGenerator } from "../../src/domain/run-id.ts";
import { test } from "../support/harness.ts";
import { Random } from "../support/random.ts";

test("run ids: any text is one subject token, reversibly", () => {
  const given = [
    "order-42",
    "a.b",
    "a b",
    "*",
    ">",
    "=",
    "=41",
    "%41",
    "über/straße",
    "🦕🥟",
    "\u0000\n",
    "_-",
    "日本",
  ];
  for (const id of given) {
    const token = encodeRunId(id);
    assert.match(token, /^[A-Za-z0-9_=-]+$/, id);
    assert.equal(decodeRunId(token), id);
  }
  assert.equal(encodeRunId("order-42"), "order-42");
  assert.equal(encodeRunId("a.ü"), "a=2E=C3=BC");
});

test("run ids: 2,000 random texts come back, and different ones stay different", () => {
  const random = new Random();
  const tokens = new Map<string, string>();
  for (let i = 0; i < 2_000; i++) {
    const id = random.text(1, 20);
    const token = encodeRunId(assertRunId(id, "id"));
    assert.equal(decodeRunId(token), id, random.label);
    assert.equal(tokens.get(token) ?? id, id, random.label);
    tokens.set(token, id);
  }
});

test("run ids: a token that nobody encoded is malformed", () => {
  for (const token of ["=", "=4", "=ZZ", "=FF"]) assert.throws(() => decodeRunId(token), /malformed run id/, token);
});

test("run ids: a token has one id, and an id one token", () => {
  const random = new Random();
  for (let i = 0; i < 20_000; i++) {
    const token = Array.from({ length: random.whole(1, 8) }, () =>
      random.pick(["a", "=7E", "=2E", "=41", "=7e", "=", "C", "="]),
    ).join("");
    let id: string;
    try {
      id = decodeRunId(token);
    } catch {
      continue;
    }
    assert.equal(encodeRunId(id), token, random.label);
  }
  assert.equal(decodeRunId("=7E12=2E1=2E0=2E9"), "~12.1.0.9");
});

test("run ids: empty, too long, not text and half a character are refused", () => {
  assert.equal(assertRunId("x".repeat(256), "id").length, 256);
  for (const id of ["", "x".repeat(257), "ü".repeat(129), "\ud800", 42, undefined, null]) {
    assert.throws(
      () => assertRunId(id, "enqueue"),
      /^TypeError: enqueue: .* is not a valid run id; .*"order-42"/,
      String(id),
    );
  }
});

test("generated ids sort by time, also within a millisecond and when the clock goes back", () => {
  let now = 1_700_000_000_000;
  const next = makeRunIdGenerator(() => now);
  const ids: string[] = [];
  for (let i = 0; i < 3_000; i++) {
    if (i % 1_000 === 999) now += i === 1_999 ? -5 : 5;
    ids.push(next());
  }
  assert.deepEqual([...ids].sort(), ids);
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) assert.equal(encodeRunId(id), id);
  assert.notEqual(makeRunIdGenerator(() => now)(), makeRunIdGenerator(() => now)());
});
