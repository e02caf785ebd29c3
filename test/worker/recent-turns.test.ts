import assert from "node:assert/strict";
import { originIn } from "../../src/domain/origin.ts";
import { RecentTurns } from "../../src/worker/recent-turns.ts";
import { test } from "../support/harness.ts";

const turnOf = (origin: number, turn = 1, key = `mail/${origin}`) => ({ key, turn, origin });

test("remembers as many turns as it says, and forgets the older ones", () => {
  const recent = new RecentTurns(100, 256);
  const origins = Array.from({ length: 500 }, (_, i) => (i % 3 === 0 ? i + 1 : originIn(i + 1, i % 7)));
  origins.forEach((origin, i) => {
    assert.equal(recent.has(turnOf(origin)), false);
    recent.add(turnOf(origin));
    for (const before of origins.slice(Math.max(0, i - 99), i + 1)) assert.ok(recent.has(turnOf(before)));
  });
  assert.equal(origins.filter((origin) => recent.has(turnOf(origin))).length <= 200, true);
});

test("tells turns, and keys of the same origin, apart", () => {
  const recent = new RecentTurns(100, 256);
  recent.add(turnOf(7, 2, "mail/a"));
  assert.deepEqual(
    [turnOf(7, 2, "mail/a"), turnOf(7, 1, "mail/a"), turnOf(7, 2, "mail/b"), turnOf(8, 2, "mail/a")].map((turn) =>
      recent.has(turn),
    ),
    [true, false, false, false],
  );
});
