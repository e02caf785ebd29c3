// When schedules are due, and what is made up for.
import assert from "node:assert/strict";
import { type CronRule, dueTicks, nextTick, parseCron } from "../../src/domain/cron.ts";
import { describe, test } from "../support/harness.ts";

const rule = (expression: string, timezone = "UTC", catchUp: CronRule["catchUp"] = "last") =>
  parseCron(expression, "task", { timezone, catchUp }, "test");
function ticks(of: CronRule, from: string, count: number): string[] {
  const found: string[] = [];
  let at = Date.parse(from);
  while (found.length < count) {
    at = nextTick(of, at)!;
    found.push(new Date(at).toISOString().slice(0, 19));
  }
  return found;
}

describe("schedules", () => {
  test("in spring a tick in the gap comes once, at its end; in autumn one of the doubled hour comes once", () => {
    const berlin = rule("30 2 * * *", "Europe/Berlin");
    assert.deepEqual(ticks(berlin, "2026-03-28T00:00:00Z", 3), [
      "2026-03-28T01:30:00",
      "2026-03-29T01:00:00",
      "2026-03-30T00:30:00",
    ]);
    assert.deepEqual(ticks(berlin, "2026-10-24T00:00:00Z", 3), [
      "2026-10-24T00:30:00",
      "2026-10-25T00:30:00",
      "2026-10-26T01:30:00",
    ]);
    const newYork = rule("30 1 * * *", "America/New_York");
    assert.deepEqual(ticks(newYork, "2026-10-31T12:00:00Z", 2), ["2026-11-01T05:30:00", "2026-11-02T06:30:00"]);
  });

  test("one that comes every half an hour does so through both changes", () => {
    const halfHourly = rule("*/30 * * * *", "Europe/Berlin");
    for (const from of ["2026-03-29T00:00:00Z", "2026-10-25T00:00:00Z"]) {
      const found = ticks(halfHourly, from, 8).map((at) => Date.parse(`${at}Z`));
      assert.deepEqual(
        found,
        found.map((_, i) => Date.parse(from) + (i + 1) * 1_800_000),
      );
    }
  });

  test("leap days, seconds", () => {
    assert.deepEqual(ticks(rule("0 0 29 2 *"), "2026-01-01T00:00:00Z", 2), [
      "2028-02-29T00:00:00",
      "2032-02-29T00:00:00",
    ]);
    assert.deepEqual(ticks(rule("*/20 * * * * *"), "2026-01-01T00:00:00Z", 3), [
      "2026-01-01T00:00:20",
      "2026-01-01T00:00:40",
      "2026-01-01T00:01:00",
    ]);
  });

  test("what is not a valid schedule is refused with an example", () => {
    const cases: [string, object, RegExp][] = [
      ["* * * *", {}, /"\* \* \* \*" is not a valid schedule; write 5 fields.*for example @Cron/],
      ["@daily", {}, /is not a valid schedule/],
      ["* * * * * * 2030", {}, /is not a valid schedule/],
      ["61 * * * *", {}, /minute: 61/],
      ["* * * * *", { timezone: "Mars/Base" }, /Mars\/Base/],
      ["* * * * *", { catchUp: "some" }, /catchUp must be one of none, last, all, not "some"/],
      ["* * * * *", { name: "a b" }, /a b/],
      ["* * * * *", { every: 1 }, /"every" is not an option of a cron/],
    ];
    for (const [expression, options, message] of cases)
      assert.throws(() => parseCron(expression, "task", options, "test"), message);
  });
});

describe("due ticks", () => {
  const start = Date.parse("2026-01-01T00:00:00Z");
  const minute = 60_000;
  const due = (catchUp: CronRule["catchUp"], afterMs: number) =>
    dueTicks(rule("* * * * *", "UTC", catchUp), start, start + afterMs);

  test("in time: every policy fires the tick, and within 15 s nothing counts as missed", () => {
    for (const catchUp of ["none", "last", "all"] as const) {
      assert.deepEqual(due(catchUp, minute - 1), { fire: [], upTo: start, missed: 0 });
      assert.deepEqual(due(catchUp, minute + 14_000), { fire: [start + minute], upTo: start + minute, missed: 0 });
    }
  });

  test("what an engine lived through is not missed, however late it leads", () => {
    const livesSince = start + 2 * minute + 30_000;
    const all = [1, 2, 3, 4, 5].map((n) => start + n * minute);
    for (const [catchUp, fire] of [
      ["none", all.slice(2)],
      ["last", all.slice(2)],
      ["all", all],
    ] as const)
      assert.deepEqual(dueTicks(rule("* * * * *", "UTC", catchUp), start, all[4]! + 30_000, livesSince).fire, fire);
  });

  test("after five minutes without an engine", () => {
    const afterMs = 5 * minute + 30_000;
    const all = [1, 2, 3, 4, 5].map((n) => start + n * minute);
    assert.deepEqual(due("none", afterMs), { fire: [], upTo: all[4], missed: 5 });
    assert.deepEqual(due("last", afterMs), { fire: [all[4]], upTo: all[4], missed: 4 });
    assert.deepEqual(due("all", afterMs), { fire: all, upTo: all[4], missed: 0 });
  });

  test("a tick in time stands for those before it, unless all are wanted", () => {
    const afterMs = 3 * minute + 1_000;
    const all = [1, 2, 3].map((n) => start + n * minute);
    assert.deepEqual(due("last", afterMs).fire, [all[2]]);
    assert.deepEqual(due("none", afterMs).fire, [all[2]]);
    assert.deepEqual(due("all", afterMs).fire, all);
  });

  test("of a year of minutes the newest 1,000 are made up for, quickly", () => {
    const { fire, upTo, missed } = due("all", 365 * 24 * 60 * minute + 30_000);
    assert.equal(missed, 365 * 24 * 60 - 1_000, "and it says how many are not");
    assert.equal(fire.length, 1_000);
    assert.equal(upTo, start + 365 * 24 * 60 * minute);
    assert.equal(fire.at(-1), upTo);
  });

  test("of fifty-six years of seconds too, for every policy", () => {
    const now = start + 30_000;
    for (const [catchUp, made] of [
      ["all", 1_000],
      ["last", 16],
      ["none", 16],
    ] as const) {
      const { fire, missed } = dueTicks(rule("* * * * * *", "UTC", catchUp), 0, now);
      assert.equal(fire.length, made, catchUp);
      assert.equal(missed, now / 1_000 - made, catchUp);
    }
  });

  test("a clock that goes back fires nothing twice", () => {
    assert.deepEqual(dueTicks(rule("* * * * *"), start, start - 60 * minute), { fire: [], upTo: start, missed: 0 });
  });
});
