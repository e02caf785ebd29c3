import assert from "node:assert/strict";
import { KeyHash } from "../../src/collections/hash.ts";
import { KeyIndex } from "../../src/collections/key-index.ts";
import { test } from "../support/harness.ts";
import { Random } from "../support/random.ts";

interface Item {
  readonly key: string;
  readonly n: number;
}

test("key index: it holds what a map holds, in the same order where it is asked for, while it grows, shrinks and is emptied", () => {
  const random = new Random();
  for (const isOrdered of [true, false]) {
    for (const keys of [3, 300, 20_000]) {
      const index = new KeyIndex<Item>(isOrdered, new KeyHash(random.whole(-(2 ** 31), 2 ** 31 - 1)));
      const map = new Map<string, Item>();
      for (let n = 0; n < 30_000; n++) {
        const key = `task/${random.whole(0, keys)}`;
        const isGrowing = Math.floor(n / 5_000) % 2 === 0;
        if (random.chance(isGrowing ? 0.7 : 0.2)) {
          index.set(key, { key, n });
          map.set(key, { key, n });
        } else assert.equal(index.delete(key), map.delete(key), random.label);
        assert.equal(index.size, map.size, random.label);
        assert.equal(index.get(key)?.n, map.get(key)?.n, random.label);
      }
      const found = [...index.values()];
      if (isOrdered) assert.deepEqual(found, [...map.values()], random.label);
      else assert.deepEqual(new Set(index.keys()), new Set(map.keys()), random.label);
      for (const key of map.keys()) index.delete(key);
      assert.deepEqual([index.size, ...index.values()], [0]);
    }
  }
});

test("key index: what is deleted while it is read is passed over, what is added is met", () => {
  const index = new KeyIndex<Item>(true);
  for (let n = 0; n < 3_000; n++) index.set(`a/${n}`, { key: `a/${n}`, n });
  const met: number[] = [];
  for (const { key, n } of index.values()) {
    met.push(n);
    index.delete(key);
    index.delete(`a/${n + 1}`);
    if (n === 2_000) index.set("a/new", { key: "a/new", n: 9_999 });
  }
  assert.deepEqual(met, [...Array.from({ length: 1_500 }, (_, i) => i * 2), 9_999]);
});

test("key index: keys that differ in one character are told apart", () => {
  const index = new KeyIndex<Item>();
  const keys = ["t/", "t/a", "t/b", "ta/", "t/ü", "t/🥟", "t/\u0000", "T/a"];
  keys.forEach((key, n) => {
    index.set(key, { key, n });
  });
  assert.deepEqual(
    keys.map((key) => index.get(key)!.n),
    [...keys.keys()],
  );
});
