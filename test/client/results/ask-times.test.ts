import assert from "node:assert/strict";
import { type Asked, AskTimes } from "../../../src/client/results/ask-times.ts";
import { test } from "../../support/harness.ts";
import { waitFor } from "../../support/wait-for.ts";

test("what is removed is not due, what is restarted is due once, a thousand are due together", async () => {
  const rings: (readonly Asked[])[] = [];
  const times = new AskTimes<Asked>((due) => void rings.push(due));
  const make = (): Asked => ({ level: 0, dueAt: 0 });
  const all = Array.from({ length: 1_000 }, make);
  const removed = Array.from({ length: 1_000 }, make);
  for (const [at, asked] of all.entries()) {
    times.add(removed[at]!);
    times.add(asked);
  }
  for (const asked of removed) times.remove(asked);
  times.restart(all);
  const startedAt = performance.now();
  await waitFor(() => rings.flat().length >= 1_000, 10_000, "all to be due");
  times.close();
  assert.ok(performance.now() - startedAt >= 1_900);
  assert.deepEqual(new Set(rings.flat()), new Set(all));
  assert.ok(rings.length < 20, `${rings.length} rings of one timer`);
  assert.ok(all.every((asked) => asked.level === 1 && asked.dueAt - startedAt >= 5_900));
}, 20_000);
