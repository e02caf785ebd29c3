// What can be written under TC39 decorators alone: legacy mode refuses it as a syntax error.
import assert from "node:assert/strict";
import { Task } from "../../decorators/mod.ts";
import { test } from "../support/harness.ts";

const T: any = Task;

test("@Task refuses a #private method", () => {
  assert.throws(() => {
    class A {
      @T() #a() {}
      b() {
        this.#a();
      }
    }
    return A;
  }, /@Task on #a: a #private method cannot be called from outside; write it without the #/);
});

test("@Task refuses an accessor", () => {
  assert.throws(() => {
    class A {
      @T() accessor a = 1;
    }
    return A;
  }, /@Task on a: decorates methods, but this is an accessor/);
});
