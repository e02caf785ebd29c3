import assert from "node:assert/strict";
import { formatTable, formatTime } from "../../src/cli/output.ts";
import { inLocalTime } from "../../src/domain/time.ts";
import { describe, test } from "../support/harness.ts";

describe("formatTable", () => {
  test("sets numbers to the right, texts to the left, and a dash where nothing is", () => {
    const rows = [
      { task: "send-email", queued: 5, worker: undefined },
      { task: "a", queued: 1_200, worker: "w1" },
    ];
    const text = formatTable<(typeof rows)[number]>(rows, {
      task: (row) => row.task,
      queued: (row) => row.queued,
      worker: (row) => row.worker,
    });
    assert.equal(text, ["TASK        QUEUED  WORKER", "send-email       5  -", "a             1200  w1"].join("\n"));
  });

  test("measures what a terminal shows: wide characters, emoji, and escapes of control characters", () => {
    const ids = ["漢字", "👩‍👩‍👧", "e\u0301", "\x1b[2J"];
    const lines = formatTable(ids, { id: (id) => id, n: () => "x" }).split("\n");
    assert.deepEqual(lines, ["ID       N", "漢字     x", "👩‍👩‍👧       x", "e\u0301        x", "\\x1b[2J  x"]);
  });

  test("cuts the widest texts so that a row fits a terminal, and none where there is none", () => {
    const rows = [{ task: "send-email", id: "漢".repeat(100), state: "queued" }];
    const columns = {
      task: (row: (typeof rows)[number]) => row.task,
      id: (row: (typeof rows)[number]) => row.id,
      state: (row: (typeof rows)[number]) => row.state,
    };
    const [, line] = formatTable(rows, columns, 40).split("\n");
    assert.equal(line, `send-email  ${"漢".repeat(9)}…   queued`);
    assert.match(formatTable(rows, columns), /漢{100}/);
  });
});

describe("formatTime", () => {
  test("has a zone, and is undefined for a time that is none", () => {
    const at = Date.UTC(2026, 10, 29, 20, 4, 5);
    const text = formatTime(at + 678)!;
    assert.match(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:05[+-]\d\d:\d\d$/);
    assert.equal(Date.parse(text), at);
    assert.equal(formatTime(0), undefined);
  });

  test("is how inLocalTime shows the times in a sentence of the engine", () => {
    const at = Date.UTC(2026, 10, 29, 20, 4, 5, 678);
    const because = `rate limit reached: room at ${new Date(at).toISOString()}, or later`;
    assert.equal(inLocalTime(because), `rate limit reached: room at ${formatTime(at)}, or later`);
  });
});
