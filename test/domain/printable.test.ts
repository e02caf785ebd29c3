import assert from "node:assert/strict";
import { printable, printableJson, printableLines } from "../../src/domain/printable.ts";
import { describe, test } from "../support/harness.ts";

describe("printable", () => {
  test("shows what a terminal would act upon, and leaves every other character", () => {
    assert.equal(printable("\x1b[31mred\x07 \x9b2J a\nb\r\tc\x7f"), "\\x1b[31mred\\x07 \\x9b2J a\\nb\\r\\tc\\x7f");
    assert.equal(printable("evil\u202etxt.exe\u2028x\u2066"), "evil\\u202etxt.exe\\u2028x\\u2066");
    assert.equal(printable("größe 漢字 👩‍👩‍👧 é"), "größe 漢字 👩‍👩‍👧 é");
  });

  test("of lines and of JSON keeps what makes them lines and JSON", () => {
    assert.equal(printableLines("a\r\n\tat b\x1b"), "a\n\tat b\\x1b");
    const value = { id: "a\x9b\x7f\x1b\n\u202e" };
    const text = printableJson([value], 2);
    assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{Cc}\u202e]/u);
    assert.deepEqual(JSON.parse(text), [value]);
    assert.equal(printableJson(undefined), "null");
  });
});
