import assert from "node:assert/strict";
import { parseAffinity } from "../../src/domain/affinity.ts";
import { parseBatch } from "../../src/domain/batch.ts";
import { contract, of } from "../../src/domain/contract.ts";
import { assertKnownOptions } from "../../src/domain/known-options.ts";
import { parseConcurrency, parseRateLimits } from "../../src/domain/limits.ts";
import { parseRetry } from "../../src/domain/retry.ts";
import { test } from "../support/harness.ts";

test("assertKnownOptions: names the option, the one that was probably meant, and all there are", () => {
  const known = {
    options: ["limit", "backoff", "base", "max"],
    of: "retries",
    where: "task x",
    example: "{ limit: 3 }",
  };
  const wrong: [unknown, string][] = [
    [
      { limt: 1 },
      'task x: "limt" is not an option of retries. Did you mean "limit"? The options are limit, backoff, base, max; for example { limit: 3 }',
    ],
    [{ back: 1 }, 'Did you mean "backoff"?'],
    [{ BASE: 1 }, 'Did you mean "base"?'],
    [{ bsae: 1 }, 'Did you mean "base"?'],
    [{ maxAttempts: 1 }, '"maxAttempts" is not an option of retries. The options are limit'],
    [JSON.parse('{"__proto__": 1}'), '"__proto__" is not an option of retries.'],
    [{ constructor: 1 }, '"constructor" is not an option of retries.'],
    [null, "task x: the options of retries must be an object, not null; for example { limit: 3 }"],
    [5, "must be an object, not 5"],
    [["limit"], "must be an object"],
  ];
  for (const [given, message] of wrong)
    assert.throws(
      () => assertKnownOptions(given, known),
      (error: Error) => error instanceof TypeError && error.message.includes(message) && error.message.length < 250,
      message,
    );
  assertKnownOptions({ limit: 1, max: undefined }, known);
});

test("every policy refuses an option that it does not know", () => {
  const wrong: [() => unknown, RegExp][] = [
    [
      () => parseRetry({ limit: 1, maxAttempts: 3 } as never, "w: retries"),
      /^w: retries: "maxAttempts" is not an option/,
    ],
    [() => parseConcurrency({ max: 1, stategy: "queue" } as never, "w"), /Did you mean "strategy"/],
    [() => parseRateLimits({ key: "a", limit: 1, per: "1s", unit: 2 } as never, "w"), /Did you mean "units"/],
    [() => parseBatch({ size: 1, intervall: "1s" } as never, "w"), /Did you mean "interval"/],
    [() => parseAffinity({ gpu: { value: 1, require: true } } as never, "w"), /w: gpu: .*Did you mean "required"/],
    [() => contract("a", { input: of(), outputs: of() } as never), /Did you mean "output"/],
  ];
  for (const [parse, message] of wrong) assert.throws(parse, { name: "TypeError", message });
});
