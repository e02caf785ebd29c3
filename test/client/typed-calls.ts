// Checked by the compiler: every line under @ts-expect-error must be refused, every other one must pass. Never run.
import { Effect } from "effect";
import { z } from "zod";
import type { Natchet } from "../../src/client/client.ts";
import type { TaskContext } from "../../src/domain/context.ts";
import { contract, of } from "../../src/domain/contract.ts";
import type { Payload } from "../../src/domain/schema.ts";

const Email = z.object({ to: z.string(), subject: z.string().default("hello") });
const resize = contract("resize", { input: of<{ width: number }>(), output: of<{ url: string }>() });
const dated = contract("dated", { input: of<{ at: Date }>(), output: of<{ at: Date }>() });
const parse = contract("parse", { input: z.object({ n: z.string().transform(Number) }), output: z.coerce.date() });

declare const natchet: Natchet;

class Mailer {
  constructor(readonly from: string) {}
  async send(email: Payload<typeof Email>, ctx: TaskContext) {
    return { to: email.to, attempt: ctx.attempt };
  }
  nightly() {}
  optional(input?: { a: 1 }) {
    return input;
  }
  nothing(_input: undefined, _ctx: TaskContext) {
    return new Date();
  }
  effect(n: number) {
    return Effect.succeed(n);
  }
  helper(a: string, b: string) {
    return a + b;
  }
  private hidden() {}
  async again(): Promise<number> {
    this.hidden();
    return (await natchet.tasks(Mailer).effect.run(1)) + 1;
  }
  async sibling(n: number) {
    return await natchet.tasks(Mailer).effect.run(n); // its own output is still inferred
  }
}

export async function calls(): Promise<void> {
  const mail = natchet.tasks(Mailer);
  const sent: { to: string; attempt: number } = await mail.send.run({ to: "bob" }); // a default need not be sent
  const url: { url: string } = await natchet.task(resize).run({ width: 1 }, { priority: 3 });
  const at: string = await mail.nothing.run(); // a Date travels as text
  const date: Date = await natchet.task(parse).run({ n: "1" });
  const n: number = await (await mail.effect.enqueue(1, { delay: "10m" })).result();
  const many: (number | undefined)[] = await natchet
    .tasks<Mailer>()
    .sibling.runMany([1, 2], (_, id) => ({ id: `${id}` }));
  await mail.nightly.run();
  await mail.optional.run();
  await mail.optional.run({ a: 1 });
  await natchet.task("any").run();
  await natchet.task<{ a: 1 }, string>("named").enqueueMany([{ a: 1 }]);
  void [sent, url, at, date, n, many];

  await natchet.task(dated).run({ at: new Date() });
  await mail.send.run({ to: "bob" }, { timeout: "1h30m", signal: new AbortController().signal });
  const back: { at: string } = await natchet.task(dated).run({ at: new Date() });
  void back;

  // @ts-expect-error a duration is written with a unit
  await mail.send.run({ to: "bob" }, { timeout: "30 seconds" });
  // @ts-expect-error wrong input
  await mail.send.run({ to: 1 });
  // @ts-expect-error missing input
  await mail.send.run();
  // @ts-expect-error not shaped like a task
  await mail.helper.run("x");
  // @ts-expect-error a private method
  await mail.hidden.run();
  // @ts-expect-error no such task
  await mail.nope.run();
  // @ts-expect-error wrong output
  const wrong: { to: number } = await mail.send.run({ to: "a" });
  // @ts-expect-error wrong input of a contract
  await natchet.task(resize).run({ width: "1" });
  // @ts-expect-error missing input of a named task
  await natchet.task<{ a: 1 }, string>("named").run();
  // @ts-expect-error an unknown option
  await natchet.task(resize).run({ width: 1 }, { prio: 1 });
  // @ts-expect-error metadata is text
  await natchet.task(resize).enqueue({ width: 1 }, { metadata: { n: 1 } });
  // @ts-expect-error one wrong input among many
  await natchet.task(resize).runMany([{ width: 1 }, { width: "2" }]);
  void wrong;
}
