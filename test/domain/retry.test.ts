import assert from "node:assert/strict";
import { parseRetry, type RetryInput, retryDelayMs } from "../../src/domain/retry.ts";
import { test } from "../support/harness.ts";

const delays = (input: RetryInput, random = () => 0.5) => {
  const policy = parseRetry(input, "task x");
  return Array.from({ length: 6 }, (_, i) => retryDelayMs(policy, i + 1, random));
};

test("retries: none by default, a number is exponential from 1 s", () => {
  assert.equal(parseRetry(undefined, "x").limit, 0);
  assert.deepEqual(delays(5), [1_000, 2_000, 4_000, 8_000, 16_000, 32_000]);
});

test("retries: fixed, factor and max", () => {
  assert.deepEqual(delays({ limit: 9, backoff: "fixed", base: "3s" }), Array(6).fill(3_000));
  assert.deepEqual(delays({ limit: 9, base: 10, factor: 3, max: "200ms" }), [10, 30, 90, 200, 200, 200]);
  assert.equal(retryDelayMs(parseRetry({ limit: 1_000, base: 0, factor: 10 }, "x"), 1_000, Math.random), 0);
  assert.equal(retryDelayMs(parseRetry({ limit: 1_000, factor: 10 }, "x"), 1_000, Math.random), 300_000);
});

test("retries: jitter shortens by at most its share", () => {
  assert.deepEqual(
    delays({ limit: 1, base: 1_000, backoff: "fixed", jitter: true }, () => 1),
    Array(6).fill(800),
  );
  for (const random of [0, 0.3, 0.999]) {
    const [delay] = delays({ limit: 1, base: 1_000, jitter: 0.5 }, () => random);
    assert.ok(delay! >= 500 && delay! <= 1_000);
  }
});

test("retries: a wrong policy is refused with the value, the rule and an example", () => {
  const wrong: [unknown, RegExp][] = [
    [-1, /from 0 to 1000, not -1.*retries: 3/],
    [1.5, /not 1\.5/],
    [{ limit: 1, backoff: "linear" }, /backoff must be one of fixed, exponential, not "linear"/],
    [{ limit: 1, factor: 0.5 }, /factor must be a number of at least 1/],
    [{ limit: 1, jitter: 2 }, /jitter must be/],
    [{ limit: 1, base: "soon" }, /"soon" is not a valid duration/],
    [{ limit: 1, retryIf: 3 }, /retryIf must be a function/],
  ];
  for (const [input, message] of wrong) assert.throws(() => parseRetry(input as RetryInput, "task x"), message);
});
