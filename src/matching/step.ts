import type { Command, EngineOutcome } from "./commands.ts";

/** The longest that the scheduler's own clock believes to have slept. */
export const longestNapMs = 3_000;

/** What one step needs: its time, and what it says. */
export class Step {
  /** Wall clock, epoch milliseconds. */
  now = 0;
  /** Own clock in milliseconds: never goes back and does not jump while the engine sleeps, so that no worker is thought dead for it. */
  uptime = 0;
  commands: Command[] = [];
  outgoing: EngineOutcome[] = [];
  /** What is being dealt with, so that a fault has a name. */
  about: { readonly task: string; readonly key: string } | { readonly name: string } | "housekeeping" | undefined;
  /** Numbers of batches are not used again in another term: an answer may come late. */
  lastBatch = 0;

  begin(now: number): void {
    if (this.commands.length > 0) this.commands = [];
    this.about = undefined;
    this.uptime += Math.min(Math.max(now - this.now, 0), longestNapMs);
    this.now = now;
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
