// The host of limits: what limits ask of a leader, carried out on its state.
import type { RateRule } from "../../domain/limits.ts";
import type { LiveRun } from "../../fold/live-run.ts";
import { endRun } from "../ending.ts";
import type { Matching } from "../matching.ts";
import { isSuspect } from "../suspects/suspects.ts";
import type { KeyLimit } from "./concurrency.ts";
import type { Limit } from "./limit.ts";
import type { LaneHost } from "./policies.ts";
import type { RateLimit } from "./rate.ts";
import { rateOf } from "./rates.ts";
import { weighFor } from "./strategies.ts";

export class MatchingLaneHost implements LaneHost {
  readonly #state: Matching;

  constructor(state: Matching) {
    this.#state = state;
  }
  get step(): Matching["step"] {
    return this.#state.step;
  }
  wakeAt(at: number, limit: Limit): void {
    this.#state.limitWakes.push({ at, limit });
  }
  reserve(rate: string, units: number): void {
    const { reservations } = this.#state;
    reservations.set(rate, (reservations.get(rate) ?? 0) + units);
  }
  isSuspect(run: LiveRun): boolean {
    return isSuspect(this.#state, run);
  }
  rateOf(id: string, rule: RateRule): RateLimit {
    return rateOf(this.#state, id, rule);
  }
  refuse(run: LiveRun, message: string): void {
    endRun(this.#state, run, "failed", { error: { name: "KeyNotFound", message, retryable: false } });
  }
  readInput(run: LiveRun): void {
    this.#state.step.commands.push({ type: "readInput", run });
  }
  weigh(limit: KeyLimit, arrived: LiveRun): void {
    weighFor(this.#state, limit, arrived);
  }
}
