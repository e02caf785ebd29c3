import assert from "node:assert/strict";
import { asCel } from "../../src/domain/cel-numbers.ts";
import { parseKey } from "../../src/domain/key-expression.ts";
import { test } from "../support/harness.ts";

const json =
  '{"n":10,"f":1.5,"s":"abc","b":true,"nil":null,"list":[1,2.5,3],"deep":{"m":{"k":7}},"big":9007199254740993000,"__proto__":5,"constructor":6}';
const keyOf = (text: string, input: unknown = JSON.parse(json)) =>
  parseKey(text, "key").evaluate({ input, metadata: { tenant: "acme", n: "3" } });

test("keys: whole numbers of JSON are ints, fractions doubles, and both are computed with and appended to texts", () => {
  const keys: [string, string][] = [
    ["input.n", "10"],
    ["input.f", "1.5"],
    ["input.n % 3", "1"],
    ["input.n + input.deep.m.k", "17"],
    [`input.s + '|"' + input["n"] + "\\"" + string(input.n)`, `abc|"10"10`],
    ["input.n / 3", "3"],
    ["input.n / 4.0", "2.5"],
    ["input.n * 2 + 1", "21"],
    ["input.n - 1", "9"],
    ["-input.n", "-10"],
    ["input.f * 2", "3"],
    ["2 * input.f", "3"],
    ["input.f % 1", "0.5"],
    ["input.n + input.f", "11.5"],
    ["(-1 * input.f) % 1", "-0.5"],
    ['"t-" + input.n', "t-10"],
    ['input.n + "-t"', "10-t"],
    ['"t-" + input.f', "t-1.5"],
    ['"t-" + input.b', "t-true"],
    ['metadata.tenant + "/" + input.n', "acme/10"],
    ['"t-" + string(input.n)', "t-10"],
    ["int(metadata.n) + input.n", "13"],
    ["input.list[0] + input.list[2]", "4"],
    ["input.list[input.deep.m.k - 5]", "3"],
    ["size(input.s) % 2", "1"],
    ["input.s.substring(0, input.n - 8)", "ab"],
    ['input.n > 3 ? "big" : "small"', "big"],
    ['input.n >= 9.5 && input.n in [10, 20] ? "in" : "out"', "in"],
    ['input.deep["m"].k + 1', "8"],
    ['"" + input.big', "9007199254740993000"],
    ['input["__proto__"] + input["constructor"]', "11"],
  ];
  for (const [text, key] of keys) assert.equal(keyOf(text), key, text);
  assert.equal(keyOf("input % 3", 10), "1");
  assert.equal(keyOf("input[1] + 1", [1, 2]), "3");
});

test("keys: a key does not depend on the keys that were computed before it", () => {
  const input = JSON.parse(json);
  for (const text of ["input.n", "input.n % 3", "input.n", "input.f + input.n", "input.deep.m.k"])
    assert.equal(keyOf(text, input), keyOf(text), text);
});

test("keys: what cannot be computed fails with the expression and the reason", () => {
  assert.throws(() => keyOf("input.s % 3"), /^Error: input\.s % 3: no such overload: .*string.* % int/);
  assert.throws(() => keyOf("input.n % 0"), /modulo by zero/);
  assert.throws(() => keyOf("input.missing + 1"), /missing/);
  assert.throws(() => keyOf("input.list"), /input\.list is a list; a key must be a string/);
  assert.throws(() => keyOf("input.deep"), /input\.deep is an object; a key must be a string/);
  assert.throws(() => keyOf("input.nil"), /input\.nil is null; a key must be a string/);
  assert.throws(() => parseKey('"a" * 5', "task x: key"), /task x: key: .*no such overload: string \* int/);
});

test("keys: names that JavaScript knows are names like others", () => {
  const input = () => JSON.parse('{"a":"x","n":4,"constructor":{"name":"c"},"toString":"t","__proto__":"p"}');
  for (const [text, key] of [
    ["input.a", "x"],
    ["input.constructor.name", "c"],
    ["input.toString", "t"],
    ["input.n % 3", "1"],
    ['has(input.hasOwnProperty) ? "yes" : "no"', "no"],
    ["metadata.constructor", "m"],
    ['metadata.constructor + "/" + input.n', "m/4"],
  ] as const)
    assert.equal(
      parseKey(text, "key").evaluate({ input: input(), metadata: { constructor: "m" } as never }),
      key,
      text,
    );
  assert.throws(() => keyOf("input.hasOwnProperty"), /No such key|hasOwnProperty/);
});

test("asCel: takes JSON of any depth", () => {
  let input: unknown = 1;
  for (let i = 0; i < 200_000; i++) input = [input];
  assert.equal(asCel(input), input);
});
