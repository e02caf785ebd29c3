import assert from "node:assert/strict";
import { NumberIndex, slotOf } from "../../src/collections/number-index.ts";
import { originIn } from "../../src/domain/origin.ts";
import { test } from "../support/harness.ts";

/** Numbers that look random and are the same each time. */
function* numbers(): Generator<number> {
  for (let x = 12345; ; ) {
    x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff;
    yield x >>> 8;
  }
}

test("does what a map does, through growth, shrinking and collisions", () => {
  const index = new NumberIndex<{ readonly n: number }>();
  const map = new Map<number, { readonly n: number }>();
  const random = numbers();
  const next = (below: number) => random.next().value! % below;
  for (const [steps, setsOfTen] of [
    [4_000, 8],
    [4_000, 2],
    [3_000, 5],
    [3_000, 1],
  ] as const)
    for (let step = 0; step < steps; step++) {
      const seq = 1 + next(900);
      const origin = next(3) === 0 ? seq : originIn(seq, next(256));
      if (next(10) < setsOfTen) {
        const item = { n: step };
        index.set(origin, item);
        map.set(origin, item);
      } else {
        const known = [...map.keys()];
        const gone = known.length === 0 || next(4) === 0 ? origin : known[next(known.length)]!;
        assert.equal(index.delete(gone), map.delete(gone));
      }
      assert.equal(index.size, map.size);
      assert.equal(index.get(origin), map.get(origin));
      if (step % 200 > 0) continue;
      for (const [each, item] of map) assert.equal(index.get(each), item);
      assert.deepEqual(
        index
          .values()
          .map(({ n }) => n)
          .sort(),
        Array.from(map.values(), ({ n }) => n).sort(),
      );
    }
});

test("gives back what it needed at its height, and goes on", () => {
  for (const height of [33, 65, 129, 1_000]) {
    const index = new NumberIndex<number>();
    for (let seq = 1; seq <= height; seq++) index.set(seq, seq);
    for (let seq = 1; seq < height; seq++) assert.ok(index.delete(seq));
    for (let seq = height + 1; seq < 10 * height + 20_000; seq++) {
      index.set(seq, seq);
      assert.ok(index.get(seq) === seq && index.delete(seq) && !index.delete(seq));
    }
    assert.deepEqual([index.values(), index.size, index.get(height)], [[height], 1, height]);
  }
});

test("number index: numbers that differ in their high bits only are found as fast as others", () => {
  const empty = new Float64Array(2 ** 12);
  for (const step of [1, 2 ** 20, 2 ** 30, 2 ** 32]) {
    const keys = new Float64Array(empty.length);
    let passed = 0;
    for (let n = 1; n <= empty.length / 2; n++) {
      const slot = slotOf(n * step, keys);
      passed += (slot - slotOf(n * step, empty)) & (empty.length - 1);
      keys[slot] = n * step;
    }
    assert.ok(passed < 4 * empty.length, `a step of ${step}: ${passed} slots were taken`);
  }
});
