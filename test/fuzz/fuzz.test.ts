// A hundred thousand inputs in all; millions with `bun run fuzz`.
import assert from "node:assert/strict";
import { afterAll, describe, test } from "../support/harness.ts";
import { commandLines } from "./command-lines.ts";
import { decoders } from "./decoders.ts";
import { type Fuzzer, fuzz, without } from "./fuzzer.ts";
import { health } from "./health.ts";
import { live } from "./live.ts";
import { scheduler } from "./scheduler.ts";
import { settings } from "./settings.ts";

afterAll(() => live.close());

describe("whatever others send", () => {
  test("everything that reads bytes or texts reads them, or refuses them by an error of ours", async () => {
    await fuzz(decoders, { count: 55_000 });
  });

  test("a scheduler never throws, hangs or spoils its state", async () => {
    await fuzz(scheduler, { count: 25_000 });
  });

  test("an environment gives settings, or a sentence", async () => {
    await fuzz(settings, { count: 15_000 });
  });

  test("a command line ends with an exit code and words", async () => {
    await fuzz(commandLines, { count: 800 });
  });

  test("the health port answers the next good request", async () => {
    await health.open();
    await fuzz(health, { count: 200 });
    await health.close();
  });

  test("a live namespace executes the next run, also under the next leader", async () => {
    await fuzz(live, { count: 4_000 });
  });
});

test("fuzz: what fails is printed with its seed, and as small as it still fails", async () => {
  const sums: Fuzzer<readonly number[]> = {
    name: "sums",
    make: (random) => Array.from({ length: 50 }, () => random.whole(0, 100)),
    check: (numbers) => assert.ok(!numbers.some((n) => n > 90), "a number is too large"),
    smaller: without,
    show: (numbers) => numbers.join(),
  };
  await assert.rejects(fuzz(sums, { seed: 7, count: 100 }), ({ message }: Error) => {
    assert.match(message, /^sums, seed \d+ \(bun run fuzz -- --only sums --seed \d+ --count 1\): 9\d\n.*too large/);
    return true;
  });
});
