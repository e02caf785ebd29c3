// @Durable and @Step: what they make of a class, and what they refuse where it is written. Runs in both decorator modes.
import assert from "node:assert/strict";
import { Durable, Step, scan, Task, Worker } from "../../decorators/mod.ts";
import { test } from "../support/harness.ts";

// What the compiler would refuse too is passed through `any`; test/types checks the compiler.
const D: any = Durable;
const S: any = Step;

test("scan finds the durable tasks and the steps of a class, those of its bases too", () => {
  class Base {
    @Step({ retries: 7 }) async reserve() {}
    @Step({ retries: 1 }) async overridden() {}
  }
  @Worker(2)
  class Orders extends Base {
    @Durable("fulfil", { version: 3, deadline: "30d" }) async fulfil() {
      await this.reserve();
    }
    @Task() @Step() async both() {}
    override async overridden() {}
  }
  const { tasks, steps } = scan(Orders);
  const [fulfil, both] = tasks;
  assert.deepEqual(fulfil!.durable, { version: 3, deadlineMs: 30 * 86_400_000, cancelTimeoutMs: 300_000 });
  assert.equal(both!.durable, undefined);
  assert.deepEqual(
    [...steps!.methods].map(([key, { retry }]) => [key, retry.limit]),
    [
      ["reserve", 7],
      ["overridden", 1],
      ["both", 3],
    ],
  );
});

test("scan gives the same code to the same text, and another to another one", () => {
  const make = (result: number) => {
    @Worker()
    class One {
      @Durable("go") async go() {
        return 1;
      }
    }
    @Worker()
    class Two {
      @Durable("go") async go() {
        return 2;
      }
    }
    return scan(result === 1 ? One : Two).tasks[0]!.code;
  };
  assert.equal(make(1), make(1));
  assert.notEqual(make(1), make(2));
});

test("scan gives another code to another version", () => {
  const make = (version: number) => {
    @Worker()
    class Orders {
      @Durable("go", { version }) async go() {
        return 1;
      }
    }
    return scan(Orders).tasks[0]!.code;
  };
  assert.equal(make(1), make(1));
  assert.notEqual(make(1), make(2));
});

const cases: readonly (readonly [string, () => unknown, RegExp])[] = [
  [
    "both decorators on one method",
    () => {
      class A {
        @Task() @D() async go() {}
      }
      return A;
    },
    /the method has both @Task and @Durable; keep one/,
  ],
  [
    "both decorators, the other way round",
    () => {
      class A {
        @D() @Task() async go() {}
      }
      return A;
    },
    /the method has both @Task and @Durable/,
  ],
  [
    "two @Durable",
    () => {
      class A {
        @D() @D() async go() {}
      }
      return A;
    },
    /two @Durable decorators; keep one/,
  ],
  [
    "two @Step",
    () => {
      class A {
        @S() @S() async go() {}
      }
      return A;
    },
    /two @Step decorators; keep one/,
  ],
  [
    "@Step on a durable method",
    () => {
      class A {
        @S() @D() async go() {}
      }
      return A;
    },
    /a durable method cannot be a step as well/,
  ],
  [
    "@Durable on a step",
    () => {
      class A {
        @D() @S() async go() {}
      }
      return A;
    },
    /a durable method cannot be a step as well/,
  ],
  [
    "three parameters",
    () => {
      class A {
        @D() async go(_a: any, _b: any, _c: any) {}
      }
      return A;
    },
    /a durable method takes \(input, ctx\) and nothing more/,
  ],
  [
    "retries",
    () => D("go", { retries: 3 })(() => {}, { kind: "method", name: "go", addInitializer() {} }),
    /"retries" is not an option here: a durable method is not tried again as a whole, its steps are/,
  ],
  ["timeout", () => D({ timeout: "1m" })(() => {}, { kind: "method", name: "go", addInitializer() {} }), /deadline/],
  [
    "a misspelt option",
    () => D({ dedline: "1m" })(() => {}, { kind: "method", name: "go", addInitializer() {} }),
    /Did you mean "deadline"\?/,
  ],
  [
    "a version that is none",
    () => D({ version: 0 })(() => {}, { kind: "method", name: "go", addInitializer() {} }),
    /version must be a whole number from 1/,
  ],
  ["a name for a step", () => S("charge"), /@Step takes no name, a step is named after its method/],
  ["errors that are no classes", () => S({ errors: ["CardDeclined"] }), /errors must be classes of errors/],
  [
    "missing parentheses",
    () => {
      class A {
        @S async go() {}
      }
      return A;
    },
    /write @Step\(\) with parentheses/,
  ],
  [
    "a static step",
    () => {
      class A {
        other = 1;
        @S() static async go() {}
      }
      return A;
    },
    /a static method cannot be a step/,
  ],
  [
    "two of a name",
    () => {
      @Worker()
      class A {
        @Durable("go") async a() {}
        @Task("go") async b() {}
      }
      return A;
    },
    /two tasks are named "go"/,
  ],
  [
    "super.step() in a durable method",
    () => {
      class Base {
        @Step() async charge() {}
      }
      @Worker()
      class A extends Base {
        @Durable() async go() {
          await super.charge();
        }
      }
      return A;
    },
    /go calls super\.charge\(\), which is not stored as a step; call this\.charge\(\)/,
  ],
];
for (const [what, write, message] of cases)
  test(`refused: ${what}`, () => {
    assert.throws(write, (error: Error) => {
      assert.match(error.message, message);
      return error instanceof TypeError || error instanceof RangeError;
    });
  });
