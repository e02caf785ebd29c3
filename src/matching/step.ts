// A step: one event with its time, and the commands that it causes.
import type { OutcomeKind } from "../domain/run.ts";
import type { Command, EngineOutcome } from "./commands.ts";

/** How a scheduler goes by its clock. Units: milliseconds */
export interface Pace {
  /** The longest time between two steps that counts in full. After a longer one the process was suspended, and nobody is considered dead for it. */
  readonly longestNapMs: number;
  /** It is given a tick at least this often. */
  readonly tickEveryMs: number;
}
/** The pace of real machines, which are suspended, and whose clocks are set. */
export const machinePace: Pace = { longestNapMs: 3_000, tickEveryMs: 1_000 };

/** What an outcome is about; a live run, as a rule. */
type OutcomeSubject = Pick<EngineOutcome, "key" | "turn" | "attempt" | "origin">;

export class Step {
  /** Wall clock, epoch milliseconds. */
  now = 0;
  /** The scheduler's own clock in milliseconds: it never goes back, and stands still while the process is suspended. */
  uptime = 0;
  commands: Command[] = [];
  outgoing: EngineOutcome[] = [];
  /** What is being handled: a fault sets that aside (scheduler/faults.ts). */
  about: { readonly task: string; readonly key: string } | { readonly name: string } | "housekeeping" | undefined;
  /** Not reset for a new term: the answer to a batch of an earlier one may come late. */
  lastBatch = 0;
  readonly pace: Pace;

  constructor(pace: Pace) {
    this.pace = pace;
  }

  begin(now: number): void {
    if (this.commands.length > 0) this.commands = [];
    this.about = undefined;
    this.uptime += Math.min(Math.max(now - this.now, 0), this.pace.longestNapMs);
    this.now = now;
  }
  /** Adds an outcome of this engine to what the step appends. What `given` leaves out has nothing to say. */
  addOutcome(about: OutcomeSubject, kind: OutcomeKind, given: Partial<EngineOutcome>): void {
    const { key, turn, attempt, origin } = about;
    const usual = { at: this.now, dueAt: 0, detail: undefined, inbox: "", inputSeq: 0 };
    this.outgoing.push({ kind, key, turn, attempt, origin, ...usual, ...given });
  }
  end(): Command[] {
    this.about = undefined;
    if (this.outgoing.length > 0) {
      this.commands.push({ type: "append", outcomes: this.outgoing });
      this.outgoing = [];
    }
    return this.commands;
  }
}
