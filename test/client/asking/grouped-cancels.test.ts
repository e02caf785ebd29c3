import assert from "node:assert/strict";
import { GroupedCancels } from "../../../src/client/asking/grouped-cancels.ts";
import { EngineRefused } from "../../../src/domain/errors.ts";
import { test } from "../../support/harness.ts";

const nothing = { cancelled: [], stopping: [], finished: [], unknown: [] };

test("cancels of single runs that come together are few requests, each answered by what became of its run", async () => {
  const asked: [number, string][] = [];
  const cancels = new GroupedCancels(async ({ runs = [], reason }) => {
    asked.push([runs.length, reason]);
    return { ...nothing, cancelled: runs.slice(2), stopping: [runs[0]!], unknown: [runs[1]!] };
  });
  const keys = Array.from({ length: 5_000 }, (_, n) => `t/${n}`);
  const did = await Promise.all([...keys, "t/2"].map((key) => cancels.cancel(key, "r")));
  assert.deepEqual(asked, [
    [2_000, "r"],
    [2_000, "r"],
    [1_001, "r"],
  ]);
  assert.deepEqual(did.slice(0, 3), ["stopping", "unknown", "cancelled"]);
  const others = ["a", "b"].map((reason) => cancels.cancel("t/1", reason));
  assert.deepEqual(await Promise.all(others), ["stopping", "stopping"]);
  assert.deepEqual(asked.slice(3), [
    [1, "a"],
    [1, "b"],
  ]);
});

test("a run that the engine cannot cancel is the only one that fails, and no engine is an answer to all", async () => {
  let requests = 0;
  const cancels = new GroupedCancels(async ({ runs = [] }) => {
    requests++;
    if (runs.includes("t/13")) throw new EngineRefused({ verb: "cancel", reason: "of t/13 it could not be stored" });
    if (runs.includes("t/none")) throw new Error("nobody answers");
    return { ...nothing, cancelled: runs };
  });
  const did = await Promise.allSettled(Array.from({ length: 64 }, (_, n) => cancels.cancel(`t/${n}`, "r")));
  assert.deepEqual(
    did.flatMap(({ status }, n) => (status === "rejected" ? [n] : [])),
    [13],
  );
  assert.equal(requests, 13);
  const both = await Promise.allSettled([cancels.cancel("t/1", "r"), cancels.cancel("t/none", "r")]);
  assert.deepEqual(
    both.map(({ status }) => status),
    ["rejected", "rejected"],
  );
});
