// A scheduler with a durable task, and its runs as their workers park them.
import type { DurableTerms, Offer, Parked, Wait } from "../../../src/domain/durable.ts";
import { keyOf } from "../../../src/domain/run.ts";
import { placeOf } from "../../../src/matching/attached.ts";
import type { Command } from "../../../src/matching/commands.ts";
import { describeRun } from "../../../src/requests/describe.ts";
import type { SchedulerOptions } from "../../../src/scheduler/scheduler.ts";
import { only, Scene } from "../../scheduler/scene.ts";

const terms: DurableTerms = { version: 1, code: "c1", deadlineMs: null };

export class DurableScene extends Scene {
  constructor(options: SchedulerOptions = {}, lead: ConstructorParameters<typeof Scene>[1] = {}) {
    super(options, lead);
  }
  /** A worker with the durable task `flow` and the plain one `leaf`. */
  staff(id = "w1", slots = 5, durable: Partial<DurableTerms> = {}): Command[] {
    return this.register(id, slots, [{ name: "flow", durable: { ...terms, ...durable } }, "leaf"]);
  }
  /** Assigns what is ready; the keys. */
  start(): string[] {
    const commands = this.tick();
    this.acknowledge(commands);
    return only(commands, "assign").flatMap(({ runs }) => runs.map(({ key }) => key));
  }
  park(key: string, waits: readonly Wait[], more: Partial<Parked> = {}, writer = "w1"): Command[] {
    const parked: Parked = { lap: 1, ops: waits.length, waits, cursors: {}, journalSeq: 1, ...more };
    return this.report(writer, key, "parked", { detail: parked });
  }
  /** Creates a run, executes it and parks it. */
  parked(id: string, waits: readonly Wait[], more: Partial<Parked> = {}): string {
    this.create("flow", id);
    this.start();
    this.park(keyOf("flow", id), waits, more);
    return keyOf("flow", id);
  }
  signal(key: string, name: string): number {
    const [task, id] = key.split("/") as [string, string];
    this.give({ type: "signal", seq: ++this.seq, at: this.now, task, id, name });
    return this.seq;
  }
  place(key: string): string {
    return placeOf(this.state.live.get(key)!);
  }
  because(key: string): string | undefined {
    return describeRun(this.state, key)?.info.waiting?.because;
  }
}

/** What is offered to a run with its assignment: `kind of what`. */
export function offers(commands: readonly Command[], key: string): string[] {
  for (const { runs, resumes } of only(commands, "assign")) {
    const run = runs.find((one) => one.key === key);
    if (run !== undefined) return (resumes?.get(run)?.offers ?? []).map(shown);
  }
  return ["not assigned"];
}

function shown(offer: Offer): string {
  if (offer.kind === "timer") return `timer ${offer.ordinal}`;
  if (offer.kind === "signal") return `signal ${offer.name} ${offer.sequence}`;
  if (offer.kind === "cancel") return `cancel ${offer.reason}`;
  return `children ${offer.ordinal}: ${offer.ends.map((end) => (end === null ? "-" : `${end.seq}.${end.index}`)).join(" ")}`;
}

export const timer = (ordinal: number, deadline: number): Wait => ({ kind: "timer", ordinal, deadline });
export const signal = (ordinal: number, name: string): Wait => ({ kind: "signal", ordinal, name });
export const children = (ordinal: number, size: number, failFast?: boolean): Wait => ({
  kind: "children",
  ordinal,
  task: "leaf",
  size,
  ...(failFast !== undefined && { failFast }),
});
