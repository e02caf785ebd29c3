import type { Heap } from "../../collections/heap.ts";
import type { LiveRun } from "../../fold/live-run.ts";
import type { Step } from "../step.ts";
import type { Limit } from "./limit.ts";

/** When a limit may have room again. `at`: on the scheduler's own clock. */
export interface LimitWake {
  readonly at: number;
  readonly limit: Limit;
}
/** The leader as limits see it. */
export interface LimitHost {
  readonly step: Pick<Step, "now" | "uptime">;
  readonly limitWakes: Heap<LimitWake>;
  /** Asks for units of a rate to be stored before they are used. */
  reserve(rate: string, units: number): void;
  /** Whether the run has to be tried alone. */
  isSuspect(run: LiveRun): boolean;
}
