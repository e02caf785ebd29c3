// What was measured, round by round.
import type { Count } from "./cell.ts";
import type { Values } from "./scenario.ts";
import { type Spread, spreadOf } from "./statistics.ts";

export interface Measurement extends Count {
  readonly scenario: string;
  readonly system: string;
  readonly round: number;
  readonly values: Values;
}

export class Results {
  readonly all: Measurement[] = [];

  add(measurement: Measurement): void {
    this.all.push(measurement);
  }

  of(scenario: string, system: string): readonly Measurement[] {
    return this.all.filter((each) => each.scenario === scenario && each.system === system);
  }

  /** Undefined where nothing was measured. */
  spread(scenario: string, system: string, metric: string): Spread | undefined {
    const values = this.of(scenario, system).map((each) => each.values[metric]);
    return spreadOf(values.filter((value) => value !== undefined && !Number.isNaN(value)) as number[]);
  }

  get failed(): boolean {
    return this.all.some(({ lost, doubled }) => lost + doubled > 0);
  }
}
