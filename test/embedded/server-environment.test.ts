import assert from "node:assert/strict";
import { serverEnvironment } from "../../src/embedded/server-environment.ts";
import { test } from "../support/harness.ts";

test("an embedded server executes on half of the cores, unless the user says how many", () => {
  const of = (given: Record<string, string>, cores: number) => serverEnvironment(given, cores)["GOMAXPROCS"];
  assert.deepEqual(
    [1, 2, 3, 4, 16].map((cores) => of({}, cores)),
    ["1", "1", "1", "2", "8"],
  );
  assert.equal(of({ GOMAXPROCS: "6" }, 4), "6");
  assert.equal(serverEnvironment({ HOME: "/home/a" }, 4)["HOME"], "/home/a");
});
