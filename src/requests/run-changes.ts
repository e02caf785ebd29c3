// Cancels and reschedules runs: stored before they are acknowledged.

import type { CancelReply } from "../domain/listing.ts";
import type { Leader } from "../leader/leader.ts";
import { placeOf } from "../matching/attached.ts";
import type { CancelRuns, Reschedule, RescheduleReply } from "../wire/verbs.ts";
import { cancellationOf } from "./describe.ts";
import { foldedFirst } from "./folded-first.ts";
import type { Queries } from "./queries.ts";

/** It is stored with every run that is cancelled. */
const longestReason = 4_000;

export class RunChanges {
  readonly #leader: Leader;
  readonly #queries: Queries;

  constructor(leader: Leader, queries: Queries) {
    this.#leader = leader;
    this.#queries = queries;
  }

  /** The named ones, or the next matching ones, as many as fit into the answer. */
  async cancel({ runs, filter, cursor, reason, kill }: CancelRuns): Promise<CancelReply> {
    if (runs === undefined && filter === undefined)
      throw new TypeError("a cancel request must name runs or filter; an empty filter is every unfinished run");
    if (runs !== undefined) return foldedFirst(this.#leader, runs, () => this.#cancel(runs, reason, kill));
    if (cursor === undefined) await this.#leader.catchUp();
    const { keys, next } = this.#queries.matching(filter ?? {}, cursor);
    return { ...(await this.#cancel(keys, reason, kill)), ...(next !== undefined && { next }) };
  }

  async #cancel(keys: readonly string[], reason: string, kill = false): Promise<CancelReply> {
    const leader = this.#leader;
    const { live, finished, unknown } = this.#byState(keys);
    await leader.handleFully({ type: "cancel", keys: live, reason: reason.slice(0, longestReason), kill });
    const cancelled: string[] = [];
    const stopping: string[] = [];
    for (const key of live) {
      const did = cancellationOf(leader.state, key);
      if (did === undefined) throw new Error(`the cancellation of ${key} could not be stored; try again`);
      ({ cancelled, stopping, finished })[did].push(key);
    }
    return { cancelled, stopping, unknown, finished };
  }

  async reschedule({ runs, dueAt, delayMs }: Reschedule): Promise<RescheduleReply> {
    const leader = this.#leader;
    await this.#untilHeard();
    return foldedFirst(leader, runs, async () => {
      const { live, finished, unknown } = this.#byState(runs);
      const isRunning = (key: string) =>
        ["running", "waiting", "cancelling", "ending"].includes(placeOf(leader.state.live.get(key)!));
      const rescheduled = live.filter((key) => !isRunning(key));
      const running = live.filter(isRunning);
      const at = delayMs === undefined ? dueAt : leader.now() + delayMs;
      await leader.handleFully({ type: "reschedule", keys: rescheduled, dueAt: at });
      return { rescheduled, running, finished, unknown };
    });
  }

  #byState(keys: readonly string[]): { live: string[]; finished: string[]; unknown: string[] } {
    const { live, finished } = this.#leader.state;
    const stateOf = (key: string) => (live.has(key) ? "live" : finished.has(key) ? "finished" : "unknown");
    return { live: [], finished: [], unknown: [], ...Object.groupBy(keys, stateOf) };
  }

  /** After a takeover, a run that seems to wait may be executing on a worker that has not reported yet. */
  async #untilHeard(): Promise<void> {
    while (this.#leader.state.isHolding) await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
