import assert from "node:assert/strict";
import type { Assignment } from "../../src/wire/assignment.ts";
import { Neighbours } from "../../src/wire/neighbours.ts";
import { test } from "../support/harness.ts";

// The process was stopped: its engine believes that it leads until the lease says otherwise, and another leads meanwhile.
test("neighbours: an engine whose lease may be over assigns nothing, and the worker asks who leads", () => {
  const neighbours = new Neighbours();
  let isHeld = false;
  let doubts = 0;
  neighbours.holdsLease = () => isHeld;
  neighbours.add("w", {
    accept: ({ epoch }) => ({ epoch, refused: [] }),
    isConnected: () => true,
    onDoubt: () => {
      doubts += 1;
    },
  });
  const runs = [{}, {}] as Assignment[];
  assert.deepEqual(neighbours.assign("w", 3, runs), { epoch: 3, refused: [0, 1], why: "stale" });
  assert.equal(doubts, 1);
  isHeld = true;
  assert.deepEqual(neighbours.assign("w", 3, runs), { epoch: 3, refused: [] });
  assert.equal(neighbours.assign("another", 3, runs), undefined);
});
