// Rate limits as they are stored, through the changes of leaders.
import assert from "node:assert/strict";
import { describe, test } from "../support/harness.ts";
import { only, Scene } from "./scene.ts";

describe("stored rate limits", () => {
  test("a leader that tidies up keeps what another one held, until its window is over", () => {
    // Found in a simulated world: a leader looked over the stored limits in its first tick, saw no use of this one, and dropped what the
    // leader before had reserved a moment ago and used since; so twice as many began in a window.
    const held = { id: "openai", perMs: 10_000, uses: [], held: 2 };
    const next = new Scene({}, "standby");
    next.live(120_000);
    next.give({ type: "rates", rates: [held] });
    next.give({ type: "lead", epoch: 8, knownWorkers: [] });
    assert.deepEqual(only(next.live(9_000), "dropRates"), []);
    assert.deepEqual(
      only(next.live(120_000), "dropRates").flatMap(({ ids }) => ids),
      ["openai"],
    );
  });
});
