// The ops of a lap: numbered in the order in which its code opens them, and compared with what is stored of them.
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
  /** Those that are not settled, by their numbers. */
  readonly #numbered = new Map<number, Op>();
  #count = 0;
  /** Stored of ops that are not opened yet. */
  readonly #expected = new Map<number, KnownOp>();
  /** Opened in this window, without a number yet. */
  #opened: Op[] = [];
  /** Numbered, and not told to the driver yet. */
  #fresh: Op[] = [];

  /** How many were numbered in this lap. */
  get count(): number {
    return this.#count;
  }
  /** Unsettled steps and children: somebody forgot to await them, unless a race left them. */
  get leftBehind(): string[] {
    const open = [...this.#numbered.values()].filter(
      ({ kind, state }) => state !== "closed" && kind !== "sleep" && kind !== "signal",
    );
    return open.map(described);
  }
  at(ordinal: number): Op | undefined {
    return this.#numbered.get(ordinal);
  }
  /** Those that are not settled, in the order of their numbers. */
  thatAre(state: OpState): readonly Op[] {
    let found: Op[] | undefined; // asked many times a step, and nearly always for nothing
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

  /** Numbers what was opened in this window. Returns how it differs from the journal; where only its arguments do, the driver is warned. */
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

  /** What was numbered since it was last asked, in the order of the calls, and is still wanted. */
  takeFresh(): Op[] {
    const fresh = this.#fresh.filter(({ state }) => state === "new");
    this.#fresh = [];
    return fresh;
  }

  /** Stored ops that the code has not opened, although it has ended. */
  unopened(): string | undefined {
    for (const [ordinal, stored] of this.#expected) if (ordinal >= this.#count) return endedBefore(ordinal, stored);
    return undefined;
  }

  /** Its result is here. */
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
