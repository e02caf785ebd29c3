// What decorated classes mean. The same file runs under TC39 decorators and under `experimentalDecorators`, on Bun and on Deno
// (toolchains.test.ts starts the other three); the first test makes sure that the expected mode is really on.
import assert from "node:assert/strict";
import { Effect, Schema } from "effect";
import { z } from "zod";
import {
  contract,
  describeClass,
  isWorkerClass,
  isWorkerInstance,
  OnFailure,
  of,
  scan,
  Task,
  type TaskContext,
  Worker,
} from "../../decorators/mod.ts";
import { describe, test } from "../support/harness.ts";

const ctx = { attempt: 2 } as TaskContext;
const names = (cls: Function) => [...describeClass(cls).tasks.values()].map((task) => task.name);
const Email = z.object({ to: z.string(), subject: z.string().default("hello") });

/** Replaces the decorated method by another function, as decorators of other libraries do; works in both modes. */
const wrap: any = (first: any, _second: any, descriptor?: PropertyDescriptor) => {
  const inner = descriptor ? descriptor.value : first;
  const outer = function (this: unknown, ...args: unknown[]) {
    return inner.apply(this, args);
  };
  if (!descriptor) return outer;
  descriptor.value = outer;
  return descriptor;
};

test("the runtime compiles decorators in the mode that is expected", () => {
  let mode = "";
  const probe: any = (_first: unknown, second: unknown) => {
    mode = typeof second === "object" ? "standard" : "legacy";
  };
  class Probe {
    @probe method() {}
  }
  assert.equal(typeof Probe.prototype.method, "function");
  assert.equal(mode, process.env["NATCHET_EXPECTED_DECORATORS"] ?? "standard");
});

describe("@Worker and @Task describe a worker", () => {
  test("name, slots and labels come from the options", () => {
    @Worker({ name: "email", slots: 5, labels: { region: "eu", cores: 4 } })
    class EmailWorker {
      @Task() send() {}
    }
    const { name, slots, labels } = scan(EmailWorker);
    assert.deepEqual({ name, slots, labels }, { name: "email", slots: 5, labels: { region: "eu", cores: 4 } });
  });

  test("the defaults are the name of the class, 100 slots and the name of the method", () => {
    @Worker()
    class Plain {
      @Task() send() {}
    }
    const worker = scan(Plain);
    assert.deepEqual([worker.name, worker.slots, worker.labels], ["Plain", 100, {}]);
    assert.deepEqual(names(Plain), ["send"]);
  });

  test("a class name that is not a valid worker name still gives one for display", () => {
    @Worker(1)
    class Étage$ {
      @Task() send() {}
    }
    assert.equal(scan(Étage$).name, "-tage-");
  });

  test("the options of a task arrive checked and complete", () => {
    @Worker(1)
    class Options {
      @Task("send-email", { input: Email, retries: 3, timeout: "30s", scheduleTimeout: null, priority: 4 })
      send(_email: { to: string; subject: string }) {}
      @Task({ retries: { limit: 2, backoff: "fixed", base: "5s" } })
      later() {}
    }
    const [send, later] = scan(Options).tasks;
    assert.equal(send!.name, "send-email");
    assert.equal(send!.retry.limit, 3);
    assert.deepEqual([send!.timeoutMs, send!.scheduleTimeoutMs, send!.priority], [30_000, null, 4]);
    assert.equal(send!.input?.["~standard"].vendor, "zod");
    assert.deepEqual([later!.name, later!.retry.limit, later!.retry.baseMs], ["later", 2, 5_000]);
    assert.deepEqual([later!.timeoutMs, later!.scheduleTimeoutMs, later!.priority], [60_000, null, 1]);
  });

  test("a contract gives name, input and output", () => {
    const resize = contract("resize", { input: of<{ width: number }>(), output: of<{ url: string }>() });
    @Worker(1)
    class Resizer {
      @Task(resize, { retries: 1 })
      async resizeImage(input: { width: number }) {
        return { url: String(input.width) };
      }
    }
    const [task] = scan(Resizer).tasks;
    assert.deepEqual([task!.name, task!.retry.limit], ["resize", 1]);
    assert.ok(task!.input && task!.output);
  });

  test("an Effect schema is taken as it is", async () => {
    @Worker(1)
    class Effects {
      @Task({ input: Schema.Struct({ n: Schema.Finite }) })
      run(input: { readonly n: number }) {
        return Effect.succeed(input.n);
      }
    }
    const [task] = scan(Effects).tasks;
    const checked = await task!.input!["~standard"].validate({ n: "no" });
    assert.ok(checked.issues);
  });
});

describe("a handler calls the method of the instance", () => {
  test("a class is constructed once, without arguments", async () => {
    let made = 0;
    @Worker(1)
    class Counter {
      count = 0;
      constructor(readonly step = 10) {
        made += 1;
      }
      @Task() next(input: number, context: TaskContext) {
        this.count += this.step;
        return [this.count, input, context.attempt];
      }
    }
    const [task] = scan(Counter).tasks;
    assert.deepEqual(
      [task!.handler(7, ctx), task!.handler(8, ctx)],
      [
        [10, 7, 2],
        [20, 8, 2],
      ],
    );
    assert.equal(made, 1);
  });

  test("an instance keeps the dependencies that it was given", () => {
    @Worker(1)
    class Sender {
      constructor(readonly mailer: { from: string }) {}
      @Task() send() {
        return this.mailer.from;
      }
    }
    assert.equal(scan(new Sender({ from: "me" })).tasks[0]!.handler(undefined, ctx), "me");
    assert.throws(
      () => scan(Sender),
      /Sender: its constructor needs arguments; pass an instance, for example start\(new Sender\(mailer\)\)/,
    );
  });

  test("onStart and onStop are taken from the class", async () => {
    const seen: string[] = [];
    @Worker(1)
    class Life {
      name = "life";
      async onStart() {
        seen.push(`start ${this.name}`);
      }
      onStop() {
        seen.push(`stop ${this.name}`);
      }
      @Task() work() {}
    }
    const worker = scan(Life);
    await worker.onStart?.();
    await worker.onStop?.();
    assert.deepEqual(seen, ["start life", "stop life"]);
    assert.deepEqual(names(Life), ["work"]);
  });

  test("getters are never touched", () => {
    @Worker(1)
    class Lazy {
      get connection(): never {
        throw new Error("touched");
      }
      @Task() work() {}
    }
    assert.equal(scan(Lazy).tasks.length, 1);
  });
});

describe("decorators of other libraries", () => {
  test("a class whose only task is wrapped by another decorator still has it", () => {
    @Worker(1)
    class Wrapped {
      @wrap @Task("only") a() {
        return "ran";
      }
    }
    assert.deepEqual(names(Wrapped), ["only"]);
    assert.equal(scan(Wrapped).tasks[0]!.handler(undefined, ctx), "ran");
  });

  test("the order of stacking makes no difference", () => {
    @Worker(1)
    class Stacked {
      @Task("above") @wrap a() {}
      @wrap @Task("below") b() {}
      @wrap @Task("between") @wrap c() {}
    }
    assert.deepEqual(names(Stacked), ["above", "below", "between"]);
  });
});

describe("inheritance", () => {
  class Base {
    greeting = "base";
    @Task("hello", { retries: 2 }) hello() {
      return this.greeting;
    }
    @Task("bye") bye() {
      return "bye";
    }
  }

  test("tasks of a base class are inherited, also without @Worker there", () => {
    @Worker(1)
    class Sub extends Base {
      @Task("more") more() {}
    }
    assert.deepEqual(names(Sub), ["hello", "bye", "more"]);
  });

  test("an override without a decorator keeps name and options, and its own code runs", () => {
    @Worker(1)
    class Sub extends Base {
      override hello() {
        return `sub of ${super.hello()}`;
      }
    }
    const [hello] = scan(Sub).tasks;
    assert.deepEqual([hello!.name, hello!.retry.limit, hello!.handler(undefined, ctx)], ["hello", 2, "sub of base"]);
  });

  test("an override with a decorator decides", () => {
    @Worker(1)
    class Sub extends Base {
      @Task("hi") override hello() {
        return "hi";
      }
    }
    assert.deepEqual(names(Sub), ["hi", "bye"]);
    @Worker(1)
    class Other extends Base {
      @Task("more") more() {}
    }
    assert.deepEqual(names(Other), ["hello", "bye", "more"]);
  });

  test("@Worker is not inherited", () => {
    @Worker(1)
    class Parent extends Base {}
    class Child extends Parent {}
    assert.throws(
      () => scan(Child),
      /Child has no @Worker of its own \(its base Parent has one\); write @Worker\(5\) above it/,
    );
    assert.ok(isWorkerClass(Parent) && !isWorkerClass(Child));
    assert.ok(isWorkerInstance(new Parent()) && !isWorkerInstance(new Child()) && !isWorkerInstance(null));
  });

  test("a name that the base class has already is refused", () => {
    assert.throws(() => {
      @Worker(1)
      class Sub extends Base {
        @Task("bye") more() {}
      }
      return Sub;
    }, /two tasks are named "bye", the methods bye and more/);
  });
});

describe("@OnFailure", () => {
  const handlersOf = (cls: new () => object) =>
    scan(cls)
      .tasks.filter(({ handlesFailures }) => handlesFailures)
      .map(({ name }) => name);

  test("a handler is named after its worker's name, or else its first task, never after the class", () => {
    @Worker({ name: "billing" })
    class Named {
      @Task("charge") take() {}
      @OnFailure() tellSupport() {}
    }
    @Worker(1)
    class Nameless {
      @Task("charge") take() {}
      @Task("refund") give() {}
      @OnFailure("refund") tellSupport() {}
      @OnFailure(["charge", "refund"]) count() {}
      @OnFailure("charge", { name: "by-hand" }) other() {}
    }
    @Worker(1)
    class OfAll {
      @OnFailure() tellSupport() {}
      @Task("charge") take() {}
      @Task("refund") give() {}
    }
    assert.deepEqual(handlersOf(Named), ["billing-tellSupport"]);
    assert.deepEqual(handlersOf(Nameless), ["refund-tellSupport", "charge-count", "by-hand"]);
    assert.deepEqual(handlersOf(OfAll), ["charge-tellSupport"]);
  });
});
