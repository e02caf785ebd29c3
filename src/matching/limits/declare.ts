// A change of a task's policies while its runs are waiting and executing.
import type { TaskPolicies } from "../../domain/policies.ts";
import type { Matching } from "../matching.ts";
import { returnSuspects } from "../suspects/suspects.ts";
import { queueOf, type TaskQueue } from "../task-queue.ts";
import { redeclareLingering } from "../unseen/lingering.ts";
import { begin } from "../workers.ts";
import { Policies } from "./policies.ts";

/** Applies the policies of the task's newest registration. Waiting and executing runs count under them from now on. */
export function declarePolicies(state: Matching, queue: TaskQueue, given: TaskPolicies | undefined): void {
  if (state.faulty.has(queue.name)) return; // its runs are not placed
  state.step.about = queue;
  // Runs with their own affinity wait in lanes, whatever their task says.
  const declared = given ?? (queue.hasPlacements ? {} : undefined);
  if (JSON.stringify(queue.policies?.declared) === JSON.stringify(declared)) return;
  const policies = declared === undefined ? undefined : new Policies(queue, declared, state.lanes);
  returnSuspects(state, queue);
  const waiting = queue.policies === undefined ? queue.ready.takeAll() : queue.policies.takeAll();
  queue.policies = policies;
  for (const run of waiting) {
    run.laneKeys = undefined;
    if (queue.policies === undefined) queue.ready.push(run, queue.priorityOf(run), queue.counts.queued);
    else queue.policies.arrive(run);
  }
  if (state.lingering.size > 0) redeclareLingering(state, queue);
  if (queue.counts.running === 0) return; // a registration may declare ten thousand tasks while ten thousand runs execute
  for (const worker of state.workers.values()) {
    for (const booking of worker.bookings()) {
      const { run } = booking;
      if (run === undefined || queueOf(run) !== queue) continue;
      // It was found executing before the slots of its task were known.
      if (booking.batch === 0 && booking.units > 0) worker.resize(booking, queue.units);
      if (!booking.hasBegun) begin(booking, 0);
      booking.lane = undefined;
      queue.policies?.adopt(run);
    }
  }
}
