// Middleware around the storing of runs and around their execution, on a real server: in order, with changes, errors and short cuts.
import assert from "node:assert/strict";
import { Effect } from "effect";
import { z } from "zod";
import {
  connect,
  currentRun,
  type EnqueueMiddleware,
  type ExecuteMiddleware,
  NonRetryableError,
  type Payload,
  type Running,
  type StartOptions,
  start,
  Task,
  type TaskContext,
  Worker,
} from "../../src/mod.ts";
import { testServer } from "../../src/testing/mod.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

const Greeting = z.object({ name: z.string(), mark: z.string().default("!") });
const story: string[] = [];

/** Says when it is entered and left, and how. */
const telling =
  (name: string): ExecuteMiddleware =>
  async ({ task }, next) => {
    story.push(`${name} > ${task}`);
    try {
      return await next();
    } catch (error) {
      story.push(`${name} saw ${(error as Error).message}`);
      throw error;
    } finally {
      story.push(`${name} <`);
    }
  };

const fast = { limit: 2, base: 1 };

@Worker({ name: "wrapped", slots: 2, middleware: [telling("worker")] })
class Wrapped {
  @Task("greet", { input: Greeting, middleware: [telling("task")] })
  async greet(input: Payload<typeof Greeting>, ctx: TaskContext) {
    story.push("code");
    assert.equal(ctx.input, input);
    assert.equal(currentRun().input, input);
    return `Hello, ${input.name}${input.mark}`;
  }

  @Task("flaky", { retries: fast })
  async flaky(_input: unknown, ctx: TaskContext) {
    if (ctx.attempt < 2) throw new Error("not yet");
    return ctx.attempt;
  }

  @Task("effect")
  effect(input: number) {
    return Effect.succeed(input + 1);
  }

  @Task("slow")
  async slow() {
    await new Promise<void>((resolve) => {
      release = resolve;
    });
  }
}
let release = () => {};

let server: Awaited<ReturnType<typeof testServer>>;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.stop());

async function within(options: StartOptions, body: (running: Running) => Promise<void>): Promise<void> {
  const running = await start(Wrapped, { url: server.url, log: "silent", signals: false, ...options });
  story.length = 0;
  try {
    await body(running);
  } finally {
    await running.stop();
  }
}

test("execution: the process is outermost, then the worker, then the task; the schema checks what they pass on", async () => {
  const shouting: ExecuteMiddleware = async ({ input }, next) => {
    const { name } = input as { name: string };
    assert.equal(currentRun().input, input);
    return `${await next({ input: { name: name.toUpperCase() } })}!!`;
  };
  const seeing: ExecuteMiddleware = async ({ input, ctx }, next) => {
    assert.deepEqual(input, { name: "ADA" }); // without the default of the schema
    assert.equal(ctx.input, input);
    assert.equal(currentRun(), ctx);
    return next();
  };
  await within({ middleware: [telling("process"), shouting, seeing] }, async (running) => {
    assert.equal(await running.client().task("greet").run({ name: "Ada" }), "Hello, ADA!!!");
    assert.deepEqual(story, [
      ...["process > greet", "worker > greet", "task > greet", "code", "task <", "worker <", "process <"],
    ]);
  });
});

test("execution: errors go out through the layers and follow the task's policy; what a schema refuses is final", async () => {
  await within({}, async (running) => {
    const client = running.client();
    assert.equal(await client.task("flaky").run(), 2);
    assert.deepEqual(story, ["worker > flaky", "worker saw not yet", "worker <", "worker > flaky", "worker <"]);
    const refused = await client.task("greet").enqueue({ name: 7 });
    await assert.rejects(refused.result(), /invalid input of task "greet": name: /);
    assert.equal((await refused.status()).attempts.length, 1);
  });
  const failing: ExecuteMiddleware = async ({ task, ctx }) => {
    if (ctx.attempt === 3) throw new NonRetryableError(`${task} is forbidden`);
    throw new Error("try again");
  };
  await within({ middleware: [failing] }, async (running) => {
    const run = await running.client().task("flaky").enqueue();
    await assert.rejects(run.result(), /NonRetryableError: flaky is forbidden/);
    const { attempts } = await run.status();
    assert.deepEqual(
      attempts.map(({ error }) => error!.message),
      ["try again", "try again", "flaky is forbidden"],
    );
    assert.deepEqual(story, []);
  });
});

test("execution: without next() the task is not called; without a result the output stays; effects run", async () => {
  const middleware: ExecuteMiddleware[] = [
    async ({ task }, next) => (task === "greet" ? "from the cache" : next()),
    async (_execution, next) => {
      await next();
    },
    (_execution, next) => Effect.promise(() => next()),
    (_execution, next) => void next(), // not even awaited
  ];
  await within({ middleware }, async (running) => {
    const client = running.client();
    assert.equal(await client.task("greet").run({ name: "Ada" }), "from the cache");
    assert.equal(await client.task("effect").run(1), 2);
    assert.equal(await client.task("flaky").run(), 2);
    assert.ok(!story.includes("worker > greet"));
  });
});

test("execution: a slot is taken until the code has ended, whatever a middleware waits for", async () => {
  const impatient: ExecuteMiddleware = (_execution, next) => Promise.race([next(), Promise.resolve("too slow")]);
  await within({ middleware: [impatient] }, async (running) => {
    const run = await running.client().task("slow").enqueue();
    await waitFor(() => story.includes("worker > slow"), 20_000, "the code to run");
    assert.equal(running.workers[0]!.busy, 1);
    release();
    assert.equal(await run.result(), "too slow");
  });
});

test("enqueue: in order, once for each run, with what they changed; the result and the errors come back through them", async () => {
  const seen: string[] = [];
  const outer: EnqueueMiddleware = async ({ task, input }, next) => {
    seen.push(`outer ${task} ${JSON.stringify(input)}`);
    try {
      const enqueued = await next();
      seen.push(`stored ${enqueued.created}`);
      return enqueued;
    } catch (error) {
      seen.push((error as Error).name);
      throw error;
    }
  };
  const inner: EnqueueMiddleware = ({ input, options }, next) =>
    next({ input: (input as number) + 1, options: { ...options, metadata: { ...options.metadata, by: "inner" } } });
  await within({}, async (running) => {
    const client = running.client({ middleware: [outer, inner] });
    const run = await client.task("effect").enqueue(1, { id: "one", metadata: { a: "b" } });
    assert.deepEqual([run.created, await run.result()], [true, 3]);
    assert.deepEqual((await run.status()).metadata, { a: "b", by: "inner" });
    assert.equal(await client.task("effect").run(1, { id: "one" }), 3);
    assert.deepEqual(seen.splice(0), ["outer effect 1", "stored true", "outer effect 1", "stored false"]);
    const many = await client.task<number>("effect").enqueueMany([10, 20], (input) => ({ id: `n-${input}` }));
    assert.deepEqual(await Promise.all(many.map((each) => each.result())), [12, 22]);
    assert.deepEqual(await client.task<number>("effect").runMany([30, 40]), [32, 42]);
    assert.equal(seen.splice(0).filter((line) => line.startsWith("outer")).length, 4);
    await assert.rejects(client.task("effect").enqueue(1, { priority: 10 }), /priority must be/);
    await assert.rejects(client.tasks(Wrapped).greet.run({ name: 7 } as never), /invalid input/);
    assert.deepEqual(seen, ["outer effect 1", "RangeError"]); // what the caller's schema refuses goes nowhere
  });
});

test("enqueue: may refuse, or name another run; anything else is a mistake that says what to return", async () => {
  const guard: EnqueueMiddleware = async ({ task, input }, next) => {
    if (input === "forbidden") throw new Error(`${task} is closed`);
    return input === "same" ? { id: "first", created: false } : input === "nothing" ? (undefined as never) : next();
  };
  await using client = await connect({ url: server.url, middleware: [guard] });
  await within({}, async () => {
    const effect = client.task<unknown, number>("effect");
    assert.equal(await effect.run(1, { id: "first" }), 2);
    const same = await effect.enqueue("same");
    assert.deepEqual([same.id, same.created, await same.result()], ["first", false, 2]);
    assert.equal(await effect.run("same"), 2);
    await assert.rejects(effect.enqueue("forbidden"), /effect is closed/);
    await assert.rejects(effect.run("nothing"), /TypeError: .*"effect" returned undefined; return what next\(\) gave/);
    assert.equal(
      (await client.list({ task: "effect" }, { limit: 100 })).runs.filter(({ id }) => id === "first").length,
      1,
    );
  });
});

test("middleware that is none is refused where it is given", async () => {
  const wrong = [undefined] as never;
  await assert.rejects(connect({ url: server.url, middleware: wrong }), /connect: middleware\[0\] must be a function/);
  await assert.rejects(start(Wrapped, { middleware: {} as never }), /start: middleware must be a list of functions/);
  assert.throws(() => {
    @Worker(1)
    class Bad {
      @Task("bad", { middleware: wrong })
      async bad() {}
    }
    return Bad;
  }, /TypeError: .*bad.*middleware\[0\] must be a function, not undefined; for example/);
  assert.throws(() => {
    @Worker({ middleware: wrong })
    class Bad {
      @Task("bad")
      async bad() {}
    }
    return Bad;
  }, /TypeError: @Worker on Bad: middleware\[0\] must be a function/);
});
