// Checked by the compiler in both decorator modes: every line under @ts-expect-error must be refused, every other one must pass.
import { z } from "zod";
import { contract, Durable, type DurableContext, of, type Payload, Step, signal } from "../../decorators/mod.ts";

interface Receipt {
  readonly id: string;
  readonly cents: number;
  readonly note?: string;
  readonly lines: readonly { sku: string }[];
  readonly next?: Receipt;
}
class Money {
  readonly cents: number;
  constructor(cents: number) {
    this.cents = cents;
  }
  format(): string {
    return `${this.cents}`;
  }
}
const Approve = signal("approve", { data: z.object({ ok: z.boolean() }) });
const Nudge = signal("nudge");
const Note = signal<{ text: string; at: Date }>("note");
const Order = z.object({ id: z.string(), at: z.coerce.date() });
const ship = contract("ship", { input: of<{ id: string }>(), output: of<{ shipped: boolean }>() });

class Images {
  async resize(url: string, _ctx?: unknown) {
    return { url, at: new Date() };
  }
  async sweep() {
    return 1;
  }
  secret = 1;
}
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const is = <_T extends true>(): void => {};

export class Good {
  @Durable("plain-good", { plain: ["a"] }) async plainField(p: { a: string; b: number }) {
    return p.b;
  }
  @Step() async receipt(_: string): Promise<Receipt> {
    return { id: "a", cents: 1, lines: [] };
  }
  @Step() async nothing() {}
  @Step({ retries: 3, timeout: "30s", errors: [RangeError] }) async list(_a: number, _b: string) {
    return [1, 2, null] as (number | null)[];
  }
  @Step({ retries: { limit: 5, base: "10m", max: "2h" } }) async generic<T extends string>(value: T) {
    return { value };
  }
  @Step() async union(): Promise<{ ok: true; v: number } | { ok: false; why: string } | undefined> {
    return undefined;
  }
  @Step() async anything(): Promise<any> {
    return 1;
  }
  @Durable("go", { version: 2, deadline: "30d" }) async go(input: { a: string }, ctx: DurableContext) {
    const receipt = await this.receipt(input.a);
    is<Equal<typeof receipt, Receipt>>();
    const wire = await ctx.step("date", () => ({ at: new Date(), m: new Money(1), big: [new Map<string, number>()] }));
    is<Equal<typeof wire, { at: string; m: { readonly cents: number }; big: Record<string, never>[] }>>();
    const got = await ctx.race({ said: ctx.waitFor(Approve), late: ctx.sleep("1d"), nudged: ctx.waitFor(Nudge) });
    if (got.won === "said") is<Equal<typeof got.value, { ok: boolean }>>();
    if (got.won === "nudged") is<Equal<typeof got.value, true>>();
    const maybe = await ctx.waitFor(Approve, { timeout: "7d" });
    is<Equal<typeof maybe, { ok: boolean } | undefined>>();
    const note = await ctx.waitFor(Note);
    is<Equal<typeof note, { text: string; at: string }>>();
    const nudged = await ctx.waitFor(Nudge, { timeout: "1d" });
    is<Equal<typeof nudged, true | undefined>>();
    const images = ctx.tasks(Images);
    const child = await images.resize.run("u");
    is<Equal<typeof child, { url: string; at: string }>>();
    await images.sweep.run();
    const many = await ctx.map(images.resize, ["u"], { concurrency: 5 });
    is<Equal<typeof many, { url: string; at: string }[]>>();
    const settled = await ctx.map(images.resize, ["u"], { onError: "settle" });
    const [one] = settled;
    if (one?.ok) is<Equal<typeof one.value, { url: string; at: string }>>();
    // @ts-expect-error wrong input
    await images.resize.run(1);
    // @ts-expect-error no task
    images.secret.run;
    // @ts-expect-error no such way
    if (got.won === "never") return 1;
    // @ts-expect-error a durable method waits for a signal
    await ctx.waitFor("approve");
    // @ts-expect-error not a duration
    await ctx.sleep("3 days");
    return receipt.cents;
  }
  @Durable() async alone() {
    return 1;
  }
  @Durable({ input: Order }) async withSchema(order: Payload<typeof Order>) {
    return order.at.getTime();
  }
  @Durable(ship) async ship(input: { id: string }) {
    return { shipped: input.id !== "" };
  }
  @Durable() async laps(n: number, ctx: DurableContext) {
    return n > 3 ? n : ctx.restart(n + 1); // callers get the number
  }
  @Durable() async forever(n: number, ctx: DurableContext) {
    return ctx.restart(n + 1);
  }
  @Durable(ship) async shipForever(input: { id: string }, ctx: DurableContext): Promise<never> {
    return ctx.restart(input);
  }
}

export class Bad {
  // @ts-expect-error a step is async
  @Step() sync() {
    return 1;
  }
  // @ts-expect-error Date
  @Step() async date() {
    return new Date();
  }
  // @ts-expect-error Date inside
  @Step() async inside() {
    return { list: [{ at: new Date() }] };
  }
  // @ts-expect-error Map
  @Step() async map() {
    return new Map<string, number>();
  }
  // @ts-expect-error bigint
  @Step() async big() {
    return 1n;
  }
  // @ts-expect-error function
  @Step() async fn() {
    return () => 1;
  }
  // @ts-expect-error object with a method
  @Step() async money() {
    return new Money(1);
  }
  // @ts-expect-error Uint8Array
  @Step() async bytes() {
    return new Uint8Array(1);
  }
  // @ts-expect-error toJSON
  @Step() async url() {
    return new URL("http://a");
  }
  // @ts-expect-error static
  @Step() static async stat() {
    return 1;
  }
  // @ts-expect-error a getter
  @Step() get got() {
    return 1;
  }
  // @ts-expect-error a field
  @Step() field = async () => 1;
  // @ts-expect-error not an option
  @Step({ retires: 3 }) async retired() {}
  // @ts-expect-error not async
  @Durable() now(_: string, _ctx: DurableContext) {
    return 1;
  }
  // @ts-expect-error third parameter
  @Durable() async three(_: string, _ctx: DurableContext, _x: number) {
    return 1;
  }
  // @ts-expect-error the context comes second
  @Durable() async first(_ctx: DurableContext) {
    return 1;
  }
  // @ts-expect-error a Date does not arrive
  @Durable() async dated(_: { at: Date }) {
    return 1;
  }
  // @ts-expect-error the input has no such field
  @Durable("plain-bad", { plain: ["c"] }) async plainBad(p: { a: string }) {
    return p.a;
  }
  // @ts-expect-error retries are those of steps
  @Durable("retried", { retries: 3 }) async retried() {}
  // @ts-expect-error an illegal name
  @Durable("a b") async named() {}
  // @ts-expect-error not what the contract promises
  @Durable(ship) async notShipped(_: { id: string }) {
    return { shipped: "no" };
  }
  // @ts-expect-error not always what the contract promises
  @Durable(ship) async sometimesShipped(input: { id: string }) {
    return input.id === "" ? "no" : { shipped: true };
  }
}
