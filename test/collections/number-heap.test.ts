import assert from "node:assert/strict";
import { NumberHeap } from "../../src/collections/number-heap.ts";
import { test } from "../support/harness.ts";

test("NumberHeap gives the least first, whatever is pushed, popped and pruned", () => {
  const heap = new NumberHeap<number>();
  let mirror: number[] = [];
  let seed = 7;
  const next = () => (seed = (seed * 48_271) % 2_147_483_647);
  for (let i = 0; i < 20_000; i++) {
    const growing = i < 8_000 ? 0.7 : 0.4;
    if (next() / 2_147_483_647 < growing) {
      const number = next() % 1_000;
      heap.push(number, number);
      mirror.push(number);
    } else {
      mirror.sort((a, b) => a - b);
      assert.equal(heap.least, mirror[0] ?? Number.POSITIVE_INFINITY);
      assert.equal(heap.pop(), mirror.shift());
    }
    if (i % 1_000 === 999) {
      heap.prune((item) => item % 3 > 0);
      mirror = mirror.filter((item) => item % 3 > 0);
    }
    assert.equal(heap.size, mirror.length);
  }
});
