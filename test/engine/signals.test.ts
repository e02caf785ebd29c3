// What an assignment carries of the signals that wait for its runs.
import assert from "node:assert/strict";
import type { Offer } from "../../src/domain/durable.ts";
import { silentLog } from "../../src/domain/log.ts";
import { Signals } from "../../src/engine/signals.ts";
import type { Leader } from "../../src/leader/leader.ts";
import type { AssignCommand } from "../../src/matching/commands.ts";
import { test } from "../support/harness.ts";

const signal = (sequence: number): Offer => ({ kind: "signal", name: "s", time: sequence, sequence });
const timer: Offer = { kind: "timer", ordinal: 1, time: 1e6, sequence: Number.MAX_SAFE_INTEGER };

async function offered(offers: readonly Offer[], dataOf: (seq: number) => string) {
  const read: number[] = [];
  const store = {
    read: async (seq: number) => {
      read.push(seq);
      return { seq, subject: "", data: new TextEncoder().encode(dataOf(seq)) };
    },
  };
  const signals = new Signals({ store, link: { maxPayload: 4_000 }, log: silentLog } as unknown as Leader);
  const run = {} as never;
  const command = { resumes: new Map([[run, { offers }]]) } as unknown as AssignCommand;
  return { offers: (await signals.withData(command))!.resumes!.get(run)!.offers, read };
}

test("of many signals only the first are read and offered, and nothing that stands behind them", async () => {
  const many = Array.from({ length: 1_000 }, (_, i) => signal(i + 1));
  const { offers, read } = await offered([...many, timer], (seq) => `${seq}`);
  assert.deepEqual(
    offers,
    many.slice(0, 8).map((offer) => ({ ...offer, data: (offer as { sequence: number }).sequence })),
  );
  assert.equal(read.length, 8);
  assert.deepEqual((await offered([signal(1), timer], () => "1")).offers, [{ ...signal(1), data: 1 }, timer]);
});

test("signals are offered as far as they fit; one that no client would store arrives without data", async () => {
  const large = `"${"x".repeat(600)}"`;
  const { offers } = await offered([signal(1), signal(2), timer], () => large);
  assert.deepEqual(offers, [{ ...signal(1), data: "x".repeat(600) }]);
  const strange = ["{", `"${"x".repeat(2_000)}"`, "[".repeat(200) + "]".repeat(200)];
  for (const data of strange) assert.deepEqual((await offered([signal(1)], () => data)).offers, [signal(1)]);
});
