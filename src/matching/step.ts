import type { OutcomeKind } from "../domain/run.ts";
import type { Command, EngineOutcome } from "./commands.ts";

/** How a scheduler goes by its clock. Units: milliseconds */
export interface Pace {
  /** The longest believable sleep between steps: a longer one means that the process was suspended, and nobody is considered dead for it. */
  readonly longestNapMs: number;
  /** It gets a tick at least this often. */
  readonly tickEveryMs: number;
}
/** Of machines, which sleep, and whose clocks are set. */
export const machinePace: Pace = { longestNapMs: 3_000, tickEveryMs: 1_000 };

/** What an outcome is about: a live run, as a rule. */
type OutcomeSubject = Pick<EngineOutcome, "key" | "turn" | "attempt" | "origin">;

/** One step: its time and its commands. */
export class Step {
  /** Wall clock, epoch milliseconds. */
  now = 0;
  /** Own clock in milliseconds: never goes back and does not jump while the engine sleeps, so that no worker is considered dead for it. */
  uptime = 0;
  commands: Command[] = [];
  outgoing: EngineOutcome[] = [];
  /** What is being handled, so that a fault can name it. */
  about: { readonly task: string; readonly key: string } | { readonly name: string } | "housekeeping" | undefined;
  /** Numbers of batches are not used again in another term: an answer may come late. */
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
  /** Lets the engine say something of a run, or make a mark: what is not given has nothing to say. */
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
