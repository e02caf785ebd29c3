import assert from "node:assert/strict";
import { formatTable } from "../../src/cli/output.ts";
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
});
