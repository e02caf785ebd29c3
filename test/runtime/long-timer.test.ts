import assert from "node:assert/strict";
import { atMost } from "../../src/runtime/at-most.ts";
import { afterMs, longestTimerMs } from "../../src/runtime/long-timer.ts";
import { test } from "../support/harness.ts";

const days = 86_400_000;

/** Timers and a clock that are played: what is set, and what rings when days have passed. */
function played(body: (timers: { readonly set: number[]; pass(ms: number): void }) => void): void {
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  const { now } = performance;
  let time = 1_000;
  let pending: { at: number; act: () => void } | undefined;
  const asked: number[] = [];
  globalThis.setTimeout = ((act: () => void, ms: number) => {
    asked.push(ms);
    pending = { at: time + ms, act };
    return 1;
  }) as never;
  globalThis.clearTimeout = (() => {
    pending = undefined;
  }) as never;
  performance.now = () => time;
  const pass = (ms: number) => {
    const until = time + ms;
    while (pending !== undefined && pending.at <= until) {
      const { at, act } = pending;
      pending = undefined;
      time = at;
      act();
    }
    time = until;
  };
  try {
    body({ set: asked, pass });
  } finally {
    globalThis.setTimeout = set;
    globalThis.clearTimeout = clear;
    performance.now = now;
  }
}

test("afterMs: sixty days are waited for in parts that a timer holds, and ring once", () => {
  played(({ set, pass }) => {
    let rung = 0;
    afterMs(60 * days, () => rung++);
    pass(60 * days - 1);
    assert.equal(rung, 0);
    pass(1);
    assert.equal(rung, 1);
    assert.ok(set.every((ms) => ms <= longestTimerMs));
    assert.equal(set.length, 3);
  });
});

test("afterMs: is called off between two parts", () => {
  played(({ pass }) => {
    let rung = 0;
    const callOff = afterMs(60 * days, () => rung++);
    pass(40 * days);
    callOff();
    pass(40 * days);
    assert.equal(rung, 0);
  });
});

test("atMost: sixty days are not over at once", async () => {
  let end!: () => void;
  let isOver = false;
  const waiting = atMost(60 * days, new Promise<void>((resolve) => (end = resolve))).then(() => {
    isOver = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 5)); // a timer that wrapped would have rung before this one
  assert.equal(isOver, false);
  end();
  await waiting;
});
