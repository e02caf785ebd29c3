// The ops of a lap. They are numbered window by window as the code opens them, and compared with what is stored of them.
import type { Wait } from "../../domain/durable.ts";
import type { OpKind } from "../../wire/journal-message.ts";
import { byRank, type Op, type OpState } from "./op.ts";
import { described, differs, endedBefore } from "./problem.ts";

/** What is stored of an op. */
interface KnownOp {
  readonly kind: OpKind;
  readonly name: string;
  readonly hash?: number;
}

interface Warned {
  warned(reason: string): void;
}

const noOps: readonly Op[] = [];

export class Ops {
  /** The ops that are not settled, by their numbers. */
  readonly #numbered = new Map<number, Op>();
  #count = 0;
  /** What is stored of ops that the code has not opened yet. */
  readonly #expected = new Map<number, KnownOp>();
  /** Ops that were opened in this window and have no number yet. */
  #opened: Op[] = [];
  /** Ops that have a number and that the driver has not been told about. */
  #fresh: Op[] = [];

  /** How many ops were numbered in this lap. */
  get count(): number {
    return this.#count;
  }
  /** Steps and children that are not settled when the method ends: nobody awaited them, or another way won a race. */
  get leftBehind(): string[] {
    const open = [...this.#numbered.values()].filter(
      ({ kind, state }) => state !== "closed" && kind !== "sleep" && kind !== "signal",
    );
    return open.map(described);
  }
  at(ordinal: number): Op | undefined {
    return this.#numbered.get(ordinal);
  }
  /** The ops in this state that are not settled, in the order of their numbers. */
  thatAre(state: OpState): readonly Op[] {
    let found: Op[] | undefined; // this is called several times for each step, and nearly always there are none
    for (const op of this.#numbered.values()) {
      if (op.state !== state) continue;
      found ??= [];
      found.push(op);
    }
    return found ?? noOps;
  }

  expect(ordinal: number, known: KnownOp): void {
    if (!this.#expected.has(ordinal)) this.#expected.set(ordinal, known);
  }

  open(op: Op): void {
    this.#opened.push(op);
  }

  /** Numbers the ops opened in this window. Returns how one differs from the journal; if only its arguments differ, the driver is warned. */
  number(driver: Warned | undefined): string | undefined {
    const opened = this.#opened;
    if (opened.length === 0) return undefined;
    this.#opened = [];
    for (const op of opened.length === 1 ? opened : opened.toSorted(byRank)) {
      op.ordinal = this.#count++;
      this.#numbered.set(op.ordinal, op);
      const stored = this.#expected.get(op.ordinal);
      if (stored === undefined) continue;
      this.#expected.delete(op.ordinal);
      if (stored.kind !== op.kind || stored.name !== op.name) return differs(op.ordinal, stored, op);
      if (stored.hash !== undefined && stored.hash !== op.hash) driver?.warned(differs(op.ordinal, stored, op));
    }
    this.#fresh.push(...opened);
    return undefined;
  }

  /** The ops numbered since the last call that are still wanted, in the order in which the code opened them. */
  takeFresh(): Op[] {
    const fresh = this.#fresh.filter(({ state }) => state === "new");
    this.#fresh = [];
    return fresh;
  }

  /** Names a stored op that the code has not opened although the method has ended. */
  unopened(): string | undefined {
    for (const [ordinal, stored] of this.#expected) if (ordinal >= this.#count) return endedBefore(ordinal, stored);
    return undefined;
  }

  /** Closes an op whose result is here. */
  settle(op: Op): void {
    this.#numbered.delete(op.ordinal);
    op.state = "closed";
  }

  forgetClosed(): void {
    for (const op of this.#numbered.values()) if (op.state === "closed") this.#numbered.delete(op.ordinal);
  }

  drop(reason: unknown): void {
    for (const op of [...this.#numbered.values(), ...this.#opened]) {
      op.abort?.(reason);
      op.letGo();
    }
    this.#numbered.clear();
    this.#expected.clear();
    this.#opened = [];
    this.#fresh = [];
  }
}

export function opOfWait(wait: Wait): KnownOp {
  if (wait.kind === "timer") return { kind: "sleep", name: "" };
  return wait.kind === "signal" ? { kind: "signal", name: wait.name } : { kind: "children", name: wait.task };
}
