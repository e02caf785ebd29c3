import assert from "node:assert/strict";
import type { Parked } from "../../src/domain/durable.ts";
import { jsonBytes } from "../../src/wire/bytes.ts";
import { decodeParked, encodeParked } from "../../src/wire/parked.ts";
import { test } from "../support/harness.ts";

const parked: Parked = {
  lap: 2,
  ops: 5,
  waits: [
    { kind: "timer", ordinal: 1, deadline: 1_700_000_000_000 },
    { kind: "signal", ordinal: 2, name: "approve" },
    { kind: "children", ordinal: 4, task: "resize", size: 3, failFast: true },
  ],
  cursors: { approve: 17 },
  journalSeq: 99,
  blocked: { reason: "op 3 differs", codes: ["a"], at: 5 },
};

test("decodeParked reads what encodeParked wrote", () => {
  assert.deepEqual(decodeParked(encodeParked(parked)), parked);
});

test("decodeParked refuses what nobody could have parked", () => {
  const bad: unknown[] = [
    undefined,
    [],
    { ...parked, lap: 0 },
    { ...parked, ops: -1 },
    { ...parked, ops: 4 }, // the group has a later ordinal
    { ...parked, waits: {} },
    { ...parked, waits: [{ kind: "timer", ordinal: 1, deadline: "soon" }] },
    { ...parked, waits: [{ kind: "children", ordinal: 1, task: "a b", size: 1 }] },
    { ...parked, waits: [{ kind: "children", ordinal: 1, task: "a", size: 1e9 }] },
    { ...parked, cursors: { approve: "x" } },
    { ...parked, journalSeq: 1.5 },
    { ...parked, blocked: { reason: 1, codes: [] } },
    { ...parked, blocked: { reason: "r", codes: [], at: -1 } },
  ];
  for (const told of bad) assert.throws(() => decodeParked(jsonBytes(told)), { name: "MalformedRecord" });
});
