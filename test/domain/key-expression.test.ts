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

test("keys: what could take for ever is refused when it is declared, and what would take too long when it is evaluated", () => {
  const refused: [string, RegExp][] = [
    ['input.s.matches("^([a-z]+)+$") ? "a" : "b"', /matches\(\) is not available/],
    ["input.list.exists(x, input.list.exists(y, x == y))", /exists\(\) within another loop/],
    ["[1, 2].map(x, [3].map(y, x * y))[0][0]", /map\(\) within another loop/],
    ["cel.bind(x, input.s + input.s, x + x)", /cel\.bind\(\) is not available/],
    [`${"input.n + ".repeat(99)}input.n`, /1000 is the maximum|Exceeded/],
    [`${"-".repeat(300)}input.n`, /Exceeded|not a valid CEL/],
  ];
  for (const [text, why] of refused) assert.throws(() => parseKey(text, "key"), why, text);
  const evaluate = (text: string, bytes: number) => {
    const half = "a".repeat(bytes / 2);
    return parseKey(text, "key").evaluate({ input: { s: half, t: half, n: 5, list: [1, 2, 3] }, metadata: {}, bytes });
  };
  const large: [string, number][] = [
    ['input.s.contains(input.t) ? "a" : "b"', 20_000],
    ['input.list.all(x, x in input.list) ? "a" : "b"', 20_000],
    ['input.list.map(x, input).all(y, y == input) ? "a" : "b"', 20_000],
    ['input.list.exists(x, x > 3 && x < 1 || x * x == 2) ? "a" : "b"', 500_000],
  ];
  for (const [text, bytes] of large) {
    assert.throws(() => evaluate(text, bytes), /too long for an input of \d+ bytes; \d+ bytes is its maximum/, text);
    assert.match(evaluate(text, 1_000), /^[ab]$/, text);
  }
  for (const text of ["input.n % 3", 'input.n == 5 ? "a" : "b"', 'input.s.startsWith("a") ? "a" : "b"', "input.n"])
    assert.ok(evaluate(text, 1_000_000), text);
  assert.throws(() => evaluate("input.s", 10_000), /has 5000 characters; a key has at most 1024/);
});
