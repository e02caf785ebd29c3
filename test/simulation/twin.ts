import { LiveRun } from "../../src/fold/live-run.ts";
import type { Command } from "../../src/matching/commands.ts";
import type { SchedulerEvent } from "../../src/scheduler/events.ts";
import { createScheduler, type Scheduler, type SchedulerOptions } from "../../src/scheduler/scheduler.ts";
import { step } from "../../src/scheduler/step.ts";

/** Hears what an engine hears and is asked nothing: as long as it says the same, the scheduler is deterministic and queries change nothing. */
export class Twin {
  readonly #state: Scheduler;

  constructor(options: SchedulerOptions) {
    this.#state = createScheduler(options);
  }
  follow(event: SchedulerEvent, now: number, said: readonly Command[]): void {
    const own = JSON.stringify(step(this.#state, event, now), legible);
    const others = JSON.stringify(said, legible);
    if (own !== others)
      throw new Error(`after "${event.type}" an engine that was asked says ${others}, its twin ${own}`);
  }
}

function legible(_name: string, value: unknown): unknown {
  if (value instanceof LiveRun) return `${value.key}#${value.turn}`;
  if (value instanceof Set) return [...value];
  return value instanceof Uint8Array ? value.length : value;
}
