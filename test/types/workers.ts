// Checked by the compiler in both decorator modes: every line under @ts-expect-error must be refused, every other one must pass.
import { Effect, Schema } from "effect";
import { z } from "zod";
import {
  type BatchContext,
  contract,
  of,
  type Payload,
  scan,
  Task,
  type TaskContext,
  type TaskOptions,
  Worker,
} from "../../decorators/mod.ts";

const Email = z.object({ to: z.string(), subject: z.string().default("hello") });
const Point = Schema.Struct({ x: Schema.Finite });
const Receipt = z.object({ id: z.number() });
const resize = contract("resize", { input: of<{ width: number }>(), output: of<{ url: string }>() });

const dated = contract("dated", { input: of<{ at: Date }>(), output: of<{ at: Date }>() });
const shared = { timeout: "1h", retries: 2 } satisfies TaskOptions;
type Json = string | number | boolean | null | Json[] | { [name: string]: Json };
interface Tree {
  name: string;
  children: Tree[];
}

export class Fine {
  @Task() none() {}
  @Task() anyInput(p: any) {
    return p;
  }
  @Task() unknownInput(p: unknown) {
    return p;
  }
  @Task() optional(p?: { a: 1 }) {
    return p;
  }
  @Task("both") both(p: { at: string } | undefined, _ctx: TaskContext) {
    return p;
  }
  @Task("send", { input: Email, retries: 3, timeout: "30s", scheduleTimeout: null, priority: 9 })
  send(email: Payload<typeof Email>, ctx: TaskContext) {
    return { n: ctx.attempt, subject: email.subject.length };
  }
  @Task({ input: Email, retries: { limit: 3, backoff: "fixed", base: "1s", jitter: true } })
  output(email: z.output<typeof Email>) {
    return email.to;
  }
  @Task({ input: Point, output: Receipt }) effect(point: { readonly x: number }) {
    return Effect.succeed({ id: point.x });
  }
  @Task({ plain: ["a"] }) plainField(p: { a: string; b: number }) {
    return p;
  }
  @Task("plain-any", { plain: ["a"] }) plainOfAny(p: any) {
    return p;
  }
  @Task("plain-unknown", { plain: ["a"], retries: 1 }) plainOfUnknown(p: unknown) {
    return p;
  }
  @Task({ plain: ["a", "c"] }) plainOfUnion(p: { a: string } | { c: number } | undefined) {
    return p;
  }
  @Task({ input: Email, plain: ["to", "subject"] }) plainOfSchema(email: Payload<typeof Email>) {
    return email.to;
  }
  @Task("plain-batch", { plain: ["a"], batch: { size: 2 } }) plainBatch(inputs: { a: string }[], _ctx: BatchContext) {
    return inputs.map(() => 1);
  }
  @Task(resize, { plain: ["width"] }) async plainOfContract(p: { width: number }) {
    return { url: String(p.width) };
  }
  @Task({ output: Receipt }) async promise() {
    return { id: 1 };
  }
  @Task(resize) async resize(p: { width: number }) {
    return { url: String(p.width) };
  }
  @Task(resize, { retries: 2 }) resizeToo(p: Payload<typeof resize.input>) {
    return { url: String(p.width) };
  }
  @Task(process.env["NAME"]) named() {}
  @Task() json(p: Json) {
    return p;
  }
  @Task() tree(p: Tree) {
    return p.children.length;
  }
  @Task() record(p: Record<string, unknown> & { readonly kind: "a" | "b"; list?: readonly [1, string] }) {
    return p;
  }
  @Task({ input: z.object({ at: z.coerce.date() }) }) made(p: { at: Date }) {
    return p.at.getTime();
  }
  @Task(dated) async dated(p: { at: string }) {
    return { at: new Date(p.at) };
  }
  @Task("batch", { batch: { size: 2, interval: "1m30s" } }) batch(inputs: { n: number }[], _ctx: BatchContext) {
    return inputs.map(({ n }) => n);
  }
  @Task("shared", shared) shared() {}
}
@Worker(10_000)
export class Most extends Fine {}
@Worker(Number("5"))
export class Computed extends Fine {}
@Worker({ name: "email_1-x", slots: 5, labels: { region: "eu", cores: 4 } })
export class Options extends Fine {}
@Worker()
export class Dependent {
  constructor(readonly mailer: { from: string }) {}
  @Task() send() {}
}
scan(Most);
scan(new Dependent({ from: "me" }));

// @ts-expect-error no slots
@Worker(0)
export class A0 {
  @Task() a() {}
}
// @ts-expect-error negative slots
@Worker(-1)
export class A1 {
  @Task() a() {}
}
// @ts-expect-error a fraction of a slot
@Worker({ slots: 1.5 })
export class A2 {
  @Task() a() {}
}
// @ts-expect-error too many slots
@Worker(10_001)
export class A3 {
  @Task() a() {}
}
// @ts-expect-error a name with a space
@Worker({ name: "a b" })
export class A4 {
  @Task() a() {}
}
// @ts-expect-error no parentheses
@Worker
export class A5 {
  @Task() a() {}
}
// @ts-expect-error an unknown option
@Worker({ slot: 5 })
export class A6 {
  @Task() a() {}
}
// @ts-expect-error slots given twice
@Worker(5, { slots: 5 })
export class A7 {
  @Task() a() {}
}
// @ts-expect-error a label that is neither string nor number
@Worker({ labels: { gpu: true } })
export class A8 {
  @Task() a() {}
}

export class Wrong {
  // @ts-expect-error the input does not fit the schema
  @Task("m1", { input: Email }) m1(p: { other: number }) {
    return p;
  }
  // @ts-expect-error three parameters
  @Task() m2(a: string, b: TaskContext, c: number) {
    return [a, b, c];
  }
  // @ts-expect-error the context comes second
  @Task() m3(ctx: TaskContext) {
    return ctx.attempt;
  }
  // @ts-expect-error the second parameter is no context
  @Task() m4(a: string, b: string) {
    return a + b;
  }
  // @ts-expect-error static
  @Task() static m5() {}
  // @ts-expect-error private
  @Task() private m6() {}
  // @ts-expect-error protected
  @Task() protected m7() {}
  // @ts-expect-error a field
  @Task() f = 1;
  // @ts-expect-error a getter
  @Task() get g() {
    return 1;
  }
  // @ts-expect-error an empty name
  @Task("") m8() {}
  // @ts-expect-error a name with a dot
  @Task("a.b") m9() {}
  // @ts-expect-error a name with an umlaut
  @Task("grün") m10() {}
  // @ts-expect-error no parentheses
  @Task m11() {}
  // @ts-expect-error no schema
  @Task("m12", { input: { to: "string" } }) m12(p: string) {
    return p;
  }
  // @ts-expect-error an unknown option
  @Task("m13", { retry: 3 }) m13() {}
  // @ts-expect-error an unknown option without a name
  @Task({ retry: 3 }) m14() {}
  // @ts-expect-error a duration that is no duration
  @Task({ timeout: true }) m15() {}
  // @ts-expect-error the return type breaks the contract
  @Task(resize) m16(p: { width: number }) {
    return p.width;
  }
  // @ts-expect-error the input type breaks the contract
  @Task(resize) async m17(p: { width: string }) {
    return { url: p.width };
  }
  // @ts-expect-error the return type breaks the output schema
  @Task({ output: Receipt }) m18() {
    return { id: "1" };
  }
  // @ts-expect-error an Effect of something else than the output schema takes
  @Task({ output: Receipt }) m19() {
    return Effect.succeed({ id: "1" });
  }
  // @ts-expect-error a contract and an input
  @Task(resize, { input: Email }) m20(p: { width: number }) {
    return { url: String(p.width) };
  }
  // @ts-expect-error options twice
  @Task({ retries: 1 }, { retries: 2 }) m21() {}
  // @ts-expect-error a Date arrives as a string
  @Task() m23(p: { at: Date }) {
    return p;
  }
  // @ts-expect-error a Map arrives as {}
  @Task() m24(p: { byName: Map<string, number> }) {
    return p;
  }
  // @ts-expect-error a function does not arrive
  @Task() m25(p: { id: string; done?: () => void }) {
    return p;
  }
  // @ts-expect-error a bigint cannot be sent
  @Task() m26(p: { n: bigint }) {
    return p;
  }
  // @ts-expect-error a Date of a batch arrives as a string
  @Task("m27", { batch: { size: 2 } }) m27(inputs: { at: Date }[], _ctx: BatchContext) {
    return inputs.map(() => 1);
  }
  // @ts-expect-error the contract brings a string
  @Task(dated) async m28(p: { at: Date }) {
    return { at: p.at };
  }
  // @ts-expect-error a duration is written with a unit
  @Task({ timeout: "30 seconds" }) m29() {}
  // @ts-expect-error the input has no such field
  @Task({ plain: ["c"] }) m30(p: { a: string }) {
    return p;
  }
  // @ts-expect-error nor has what the schema takes
  @Task({ input: Email, plain: ["form"] }) m31(email: Payload<typeof Email>) {
    return email.to;
  }
  // @ts-expect-error nor has one of a batch
  @Task("m32", { plain: ["c"], batch: { size: 2 } }) m32(inputs: { a: string }[], _ctx: BatchContext) {
    return inputs.map(() => 1);
  }
  // @ts-expect-error a backoff that does not exist
  @Task({ retries: { limit: 1, backoff: "linear" } }) m22() {}
}
void [new Wrong()];
