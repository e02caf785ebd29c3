import assert from "node:assert/strict";
import { test } from "../../support/harness.ts";
import { type Node, programOf } from "./programs.ts";
import { live, tell } from "./stories.ts";

test("random programs go the same way live, after crashes, and from each prefix of their journals", async () => {
  const from = Math.floor(Math.random() * 1_000_000);
  let records = 0;
  for (let seed = from; seed < from + 150; seed++) {
    const { story, problem } = await tell(seed);
    assert.equal(problem, undefined, `seed ${seed}`);
    records += story?.records.length ?? 0;
  }
  assert.ok(records > 500, `${records} records from seed ${from}`);
});

/** With a foreign await between two of its parts. */
function withForeign(program: Node): Node {
  const [first, ...rest] = (program as { readonly c: Node[] }).c;
  return { t: "seq", c: [first!, { t: "foreign", k: 1 }, ...rest] };
}

test("random programs with a foreign await never end as if there was none", async () => {
  let reached = 0;
  for (let seed = 0; seed < 60; seed++) {
    const story = await live(seed, withForeign(programOf(seed)));
    if (story === undefined || !story.trace.includes("reached")) continue;
    reached += 1;
    assert.match(story.outcome, /^blocked: /, `seed ${seed}`);
  }
  assert.ok(reached > 20);
});
