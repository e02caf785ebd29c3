// The lanes of one task, by the keys of their runs.
import type { TaskPolicies } from "../../domain/policies.ts";
import type { LiveRun } from "../../fold/live-run.ts";
import { type Needs, needsOf } from "../needs.ts";
import { BatchLimit } from "./batch.ts";
import type { RunKeys } from "./keys.ts";
import { Lane, Lanes } from "./lanes.ts";
import type { RuleLimits } from "./rule-limits.ts";

/** A lane exists for as long as a run is waiting in it. */
export class LaneTable {
  readonly #declared: TaskPolicies;
  readonly #rules: readonly RuleLimits[];
  readonly #byId = new Map<string, Lane>();
  /** By the needs of their runs: the lanes that dispatch takes from together, because the same workers may have their runs. */
  readonly #groups = new Map<string, Lanes>();

  constructor(declared: TaskPolicies, rules: readonly RuleLimits[]) {
    this.#declared = declared;
    this.#rules = rules;
  }
  groups(): Iterable<Lanes> {
    return this.#groups.values();
  }
  find(run: LiveRun, keys: RunKeys): Lane | undefined {
    return this.#byId.get(laneId(needsOf(run, this.#declared), keys));
  }
  /** Finds the lane of a run, or makes it. */
  laneOf(run: LiveRun, keys: RunKeys): Lane {
    const needs = needsOf(run, this.#declared);
    const id = laneId(needs, keys);
    let lane = this.#byId.get(id);
    if (lane === undefined) {
      lane = this.#makeLane(this.#groupOf(needs), id, keys);
      this.#byId.set(id, lane);
    }
    return lane;
  }
  /** Takes all waiting runs. Limits that are shared with other tasks no longer count these lanes. */
  takeAll(): LiveRun[] {
    const runs: LiveRun[] = [];
    for (const lane of this.#byId.values()) {
      for (const run of lane.ready.takeAll()) runs.push(run);
      for (const { limit } of lane.uses) limit.leave();
    }
    this.#byId.clear();
    return runs;
  }

  #groupOf(needs: Needs): Lanes {
    let lanes = this.#groups.get(needs.id);
    if (lanes === undefined) {
      lanes = new Lanes(needs.id === "" ? undefined : needs, (lane) => this.#forget(lane));
      this.#groups.set(needs.id, lanes);
    }
    return lanes;
  }
  #makeLane(lanes: Lanes, id: string, { shares }: RunKeys): Lane {
    const uses = shares.map(({ key, units }, index) => ({ limit: this.#rules[index]!.limitFor(key), units }));
    for (const { limit } of uses) limit.lanes++;
    lanes.count++;
    const batch = uses.map(({ limit }) => limit).find((limit) => limit instanceof BatchLimit);
    return new Lane(lanes, id, uses, batch);
  }
  #forget(lane: Lane): void {
    const { lanes } = lane;
    this.#byId.delete(lane.id);
    for (const { limit } of lane.uses) limit.leave();
    if (--lanes.count === 0 && lanes.needs !== undefined) this.#groups.delete(lanes.needs.id);
  }
}

const laneId = (needs: Needs, keys: RunKeys): string => (needs.id === "" ? keys.id : `${needs.id} ${keys.id}`);
