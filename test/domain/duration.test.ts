import assert from "node:assert/strict";
import { type DurationInput, formatDuration, parseDuration } from "../../src/domain/duration.ts";
import { test } from "../support/harness.ts";

test("parseDuration: numbers are milliseconds, texts are sums of units", () => {
  const cases: [DurationInput, number][] = [
    [0, 0],
    [250, 250],
    ["500ms", 500],
    ["30s", 30_000],
    ["1h30m", 5_400_000],
    ["7d", 604_800_000],
    ["1.5s", 1_500],
    ["1m0.5s", 60_500],
  ];
  for (const [input, ms] of cases) assert.equal(parseDuration(input, "timeout"), ms, String(input));
});

test("parseDuration: anything else is refused with the place, the value and an example", () => {
  for (const value of [
    "",
    "3 parsecs",
    "10",
    "-1s",
    "1s ",
    "s",
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    true,
    null,
  ]) {
    assert.throws(
      () => parseDuration(value as DurationInput, "task x: timeout"),
      (error: Error) =>
        error instanceof TypeError &&
        error.message.startsWith("task x: timeout: ") &&
        error.message.includes('"1h30m"'),
      String(value),
    );
  }
  assert.throws(() => parseDuration("3 parsecs", "timeout"), /"3 parsecs" is not a valid duration/);
});

test("parseDuration: more than ten years is refused, and the message stays short", () => {
  assert.equal(parseDuration("3650d", "x"), 315_360_000_000);
  for (const value of ["4000d", 1e300, Number.MAX_SAFE_INTEGER, `${"9".repeat(400)}d`, `0.${"1".repeat(400)}s4000d`]) {
    assert.throws(
      () => parseDuration(value, "delay"),
      (error: Error) =>
        error instanceof RangeError &&
        error.message.length < 160 &&
        /^delay: .*longer than 10 years.*for example "30d"$/.test(error.message),
      String(value),
    );
  }
});

test("formatDuration: what it writes is read back, to the second", () => {
  assert.equal(formatDuration(250), "250ms");
  assert.equal(formatDuration(1_500), "1.5s");
  assert.equal(formatDuration(5_400_000), "1h30m");
  for (let seconds = 1; seconds < 1_000_000; seconds = seconds * 3 + 1) {
    assert.equal(parseDuration(formatDuration(seconds * 1_000), "x"), seconds * 1_000);
  }
});
