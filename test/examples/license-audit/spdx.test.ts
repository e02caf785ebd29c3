import assert from "node:assert/strict";
import { formatExpression, isSatisfied, parseLicenceField } from "../../../examples/license-audit/spdx.ts";
import { describe, test } from "../../support/harness.ts";

const normal = (field: unknown) => {
  const expression = parseLicenceField(field);
  return expression === undefined ? undefined : formatExpression(expression);
};

describe("parseLicenceField", () => {
  const cases: [unknown, string | undefined][] = [
    ["MIT", "MIT"],
    ["mit", "MIT"],
    ["Apache 2.0", "Apache-2.0"],
    ["Apache License, Version 2.0", "Apache-2.0"],
    ["GPL-3.0-or-later", "GPL-3.0"],
    [{ type: "BSD", url: "https://example.org" }, "BSD-2-Clause"],
    [[{ type: "MIT" }, { type: "Apache-2.0" }], "(MIT OR Apache-2.0)"],
    ["(MIT OR Apache-2.0) AND CC0-1.0", "((MIT OR Apache-2.0) AND CC0-1.0)"],
    ["MIT OR ISC AND 0BSD", "(MIT OR (ISC AND 0BSD))"],
    ["GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0"],
    ["Custom-1.0", "Custom-1.0"],
    ["UNLICENSED", undefined],
    ["SEE LICENSE IN terms.txt", undefined],
    ["", undefined],
    [undefined, undefined],
    [42, undefined],
  ];
  for (const [field, expected] of cases) {
    test(`reads ${JSON.stringify(field)} as ${expected}`, () => assert.equal(normal(field), expected));
  }
});

describe("isSatisfied", () => {
  test("OR asks for one licence, AND for all", () => {
    const either = parseLicenceField("MIT OR Apache-2.0")!;
    const both = parseLicenceField("MIT AND Apache-2.0")!;
    assert.equal(isSatisfied(either, new Set(["Apache-2.0"])), true);
    assert.equal(isSatisfied(both, new Set(["Apache-2.0"])), false);
    assert.equal(isSatisfied(both, new Set(["Apache-2.0", "MIT"])), true);
    assert.equal(isSatisfied(either, new Set(["ISC"])), false);
  });
});
