// Wrong use is refused where the class is written, with the value, the rule and an example. Runs in both decorator modes.
import assert from "node:assert/strict";
import { z } from "zod";
import { contract, of, scan, Task, Worker } from "../../decorators/mod.ts";
import { describe, test } from "../support/harness.ts";

// What the compiler would refuse too is passed through `any`; test/types checks the compiler.
const W: any = Worker;
const T: any = Task;
const resize = contract("resize", { input: of<number>(), output: of<string>() });

function refused(what: string, write: () => unknown, message: RegExp, type: Function = TypeError): void {
  test(what, () => {
    assert.throws(write, (error: Error) => {
      assert.match(error.message, message);
      assert.ok(error instanceof type, `${error.name} is no ${type.name}`);
      return true;
    });
  });
}

describe("@Worker refuses", () => {
  for (const slots of [0, -1, 1.5, 10_001, Number.NaN, Number.POSITIVE_INFINITY]) {
    const rule = new RegExp(
      `@Worker on A: slots must be a whole number from 1 to 10000, not ${slots}; for example @Worker\\(5\\)`,
    );
    const bare = () => {
      @W(slots)
      class A {
        @Task() a() {}
      }
      return A;
    };
    const option = () => {
      @W({ slots })
      class A {
        @Task() a() {}
      }
      return A;
    };
    refused(`${slots} slots`, bare, rule, RangeError);
    refused(`${slots} slots as an option`, option, rule, RangeError);
  }

  const worker =
    (...args: unknown[]) =>
    () => {
      @W(...args)
      class A {
        @Task() a() {}
      }
      return A;
    };
  refused(
    "a string",
    worker("email"),
    /@Worker: "email" is neither a number of slots nor options; for example @Worker\(/,
  );
  refused("null", worker(null), /@Worker: null is neither/);
  refused(
    "slots as a string",
    worker({ slots: "5" }),
    /slots must be a whole number from 1 to 10000, not "5"/,
    RangeError,
  );
  refused("slots given twice", worker(5, { slots: 6 }), /@Worker takes slots or options, not 2 arguments/);
  refused(
    "an unknown option",
    worker({ slot: 5 }),
    /@Worker: "slot" is not an option of a worker. Did you mean "slots"\? The options are name, slots, labels/,
  );
  refused(
    "an illegal name",
    worker({ name: "a b" }),
    /@Worker on A: "a b" is not a valid worker name; use 1 to 64 characters/,
  );
  refused("an empty name", worker({ name: "" }), /@Worker on A: "" is not a valid worker name/);
  refused("labels that are no object", worker({ labels: "eu" }), /@Worker on A: labels must be an object, not "eu"/);
  refused(
    "a label that is no string or number",
    worker({ labels: { a: true } }),
    /label "a" must be a string or a number, not true/,
  );
  refused(
    "missing parentheses",
    () => {
      @W
      class A {
        @Task() a() {}
      }
      return A;
    },
    /@Worker: write @Worker\(\) with parentheses/,
  );
  refused(
    "two of them",
    () => {
      @Worker(1)
      @Worker(2)
      class A {
        @Task() a() {}
      }
      return A;
    },
    /@Worker on A: the class has two @Worker decorators; keep one/,
  );
  refused(
    "a method",
    () => {
      class A {
        @W(1) a() {}
      }
      return A;
    },
    /@Worker on a: decorates a class, for example @Worker\(5\) above class EmailWorker/,
  );
  refused(
    "a class without a task",
    () => {
      @Worker(1)
      class A {}
      return A;
    },
    /@Worker on A: the class has no task; decorate a method, for example @Task\("send-email"\)/,
  );
  refused(
    "two tasks of one name",
    () => {
      @Worker(1)
      class A {
        @Task("send") a() {}
        @Task() send() {}
      }
      return A;
    },
    /@Worker on A: two tasks are named "send", the methods a and send; rename one of them, for example/,
  );
});

describe("@Task refuses", () => {
  const task =
    (...args: unknown[]) =>
    () => {
      class A {
        @T(...args) a() {}
      }
      return A;
    };
  const on = "@Task on (A\\.)?a: ";
  refused(
    "an empty name",
    task(""),
    new RegExp(
      `${on}"" is not a valid task name; use 1 to 64 characters of A-Z a-z 0-9 _ and -, for example "send-email"`,
    ),
  );
  refused("a name with a dot", task("a.b"), new RegExp(`${on}"a.b" is not a valid task name`));
  refused("a name of 65 characters", task("x".repeat(65)), /is not a valid task name/);
  refused(
    "a number",
    task(5),
    /@Task: the first argument is 5, which is not a name, options or a contract; for example @Task\("send-email"/,
  );
  refused("null", task(null), /@Task: the first argument is null/);
  refused("options that are a string", task("a", "30s"), /@Task: the second argument is 30s/);
  refused("a third argument", task("a", {}, {}), /@Task takes a name and options, not 3 arguments/);
  refused(
    "options given twice",
    task({ retries: 1 }, { retries: 2 }),
    /@Task: options are given twice; pass them once/,
  );
  refused("a name in the options", task({ name: "x" }), /@Task: "name" is not an option; the name comes first/);
  refused(
    "an unknown option",
    task({ retry: 1 }),
    new RegExp(
      `${on}"retry" is not an option of a task. Did you mean "retries"\\? The options are input, output, retries`,
    ),
  );
  refused(
    "an input beside a contract",
    task(resize, { input: z.number() }),
    /@Task: input is given twice, by the contract "resize" and by the options; drop one/,
  );
  refused(
    "a schema without a key",
    task(z.string()),
    /@Task: a schema goes into the options; write @Task\(\{ input: schema \}\)/,
  );
  refused(
    "something that is not a schema",
    task({ input: { to: "string" } }),
    new RegExp(`${on}input: .* is not a schema; use a Standard Schema`),
  );
  refused("negative retries", task({ retries: -1 }), new RegExp(`${on}retries must be a whole number`), RangeError);
  refused(
    "a bad duration",
    task({ timeout: "3 parsecs" }),
    new RegExp(`${on}timeout: "3 parsecs" is not a valid duration`),
  );
  refused("a timeout of 0", task({ timeout: 0 }), new RegExp(`${on}timeout`), RangeError);
  refused(
    "a bad schedule timeout",
    task({ scheduleTimeout: "soon" }),
    new RegExp(`${on}scheduleTimeout: "soon" is not a valid duration`),
  );
  refused(
    "a priority of 10",
    task({ priority: 10 }),
    new RegExp(`${on}priority must be a whole number from 1 to 9, not 10`),
    RangeError,
  );
  refused(
    "missing parentheses",
    () => {
      class A {
        @T a() {}
      }
      return A;
    },
    /@Task: write @Task\(\) with parentheses/,
  );
  refused(
    "two of them",
    () => {
      class A {
        @Task("x") @Task("y") a() {}
      }
      return A;
    },
    /@Task on (A\.)?a: the method has two @Task decorators; keep one/,
  );
  refused(
    "a static method",
    () => {
      // biome-ignore lint/complexity/noStaticOnlyClass: the mistake under test
      class A {
        @T() static a() {}
      }
      return A;
    },
    /@Task on (A\.)?a: a static method cannot be a task; write it as an instance method/,
  );
  refused(
    "a getter",
    () => {
      class A {
        @T() get a() {
          return 1;
        }
      }
      return A;
    },
    /@Task on (A\.)?a: decorates methods, but this is a getter; for example @Task\(\) async send/,
  );
  refused(
    "a setter",
    () => {
      class A {
        @T() set a(_value: number) {}
      }
      return A;
    },
    /@Task on (A\.)?a: decorates methods, but this is a setter/,
  );
  refused(
    "a field",
    () => {
      class A {
        @T() a = 1;
      }
      return A;
    },
    /@Task on (A\.)?a: decorates methods, but this is a field/,
  );
  refused(
    "a method named by a symbol",
    () => {
      class A {
        @T() [Symbol.for("a")]() {}
      }
      return A;
    },
    /a method named by a symbol cannot be a task; give it a name such as send/,
  );
  refused(
    "a class",
    () => {
      @T()
      class A {}
      return A;
    },
    /@Task on A: decorates methods, not a class/,
  );
});

describe("scan refuses", () => {
  class Plain {
    a() {}
  }
  const any: any = scan;
  refused(
    "a class without @Worker",
    () => any(Plain),
    /Plain is not a class under @Worker; write @Worker\(5\) above it/,
  );
  refused("its instance", () => any(new Plain()), /Plain is not a class under @Worker/);
  refused("a function", () => any(() => 1), /is not a class under @Worker/);
  refused(
    "null",
    () => any(null),
    /null is not a worker; pass a class under @Worker or an instance of it, for example start\(EmailWorker\)/,
  );
  refused("a string", () => any("email"), /email is not a worker/);
});

test("the stack of a refusal starts at the user's line", () => {
  try {
    class A {
      @T("a.b") a() {}
    }
    assert.fail(`${A.name} was accepted`);
  } catch (error) {
    const firstLine = (error as Error).stack!.split("\n").find((line) => line.includes(".ts"));
    assert.match(firstLine!, /refusals\.test\.ts/);
  }
});

refused(
  "@Worker refuses a task that needs more slots than the worker has",
  () => {
    class Wide {
      big() {}
    }
    const descriptor = Object.getOwnPropertyDescriptor(Wide.prototype, "big");
    T("big", { slots: 4 })(Wide.prototype, "big", descriptor);
    W(2)(Wide);
  },
  /@Worker on Wide: a run of task "big" needs 4 slots, but the worker has 2; for example @Worker\(4\)/,
  RangeError,
);
