// What one tick assigns: a booking in the ledger for each attempt, and one command for each worker.
import type { Resume } from "../domain/durable.ts";
import type { LiveRun } from "../fold/live-run.ts";
import type { AssignCommand } from "./commands.ts";
import { resumeOf } from "./durable/readiness.ts";
import type { Gathering, Lane } from "./limits/lanes.ts";
import type { Matching } from "./matching.ts";
import { hasRoomToNote, mustNote, note } from "./suspects/caution.ts";
import { setPlace } from "./task-queue.ts";
import type { Booking, WorkerRecord } from "./workers.ts";

/** The command for a worker, while the tick adds to it. */
interface Delivery extends AssignCommand {
  readonly runs: LiveRun[];
  readonly followers: Set<LiveRun>;
  isNoted?: boolean;
  resumes?: Map<LiveRun, Resume>;
}

export class Assignments {
  readonly #state: Matching;
  readonly #deliveries = new Map<WorkerRecord, Delivery>();
  /** Some of the attempts must be noted in the bucket before they are sent (suspects/caution.ts). */
  hasNoted = false;

  constructor(state: Matching) {
    this.#state = state;
  }

  start(run: LiveRun, units: number, worker: WorkerRecord, lane: Lane | undefined): void {
    this.#assign(run, units, worker, this.#deliveryFor(worker), lane);
  }

  /** Assigns the other runs of a batch: they execute in one call with the first, and share its slots. */
  startFollowers(first: LiveRun, worker: WorkerRecord, batch: Gathering): void {
    const delivery = this.#deliveryFor(worker);
    for (const run of batch.takeFollowers(first)) {
      delivery.followers.add(run);
      this.#assign(run, 0, worker, delivery, batch.lane);
    }
  }

  #deliveryFor(worker: WorkerRecord): Delivery {
    let delivery = this.#deliveries.get(worker);
    if (delivery === undefined) {
      const { step, epoch } = this.#state;
      const batch = ++step.lastBatch;
      delivery = { type: "assign", worker: worker.id, batch, epoch, runs: [], followers: new Set() };
      this.#deliveries.set(worker, delivery);
      worker.batches.set(batch, delivery.runs);
      step.commands.push(delivery);
    }
    return delivery;
  }

  #assign(run: LiveRun, units: number, worker: WorkerRecord, delivery: Delivery, lane: Lane | undefined): void {
    const state = this.#state;
    const { key, turn, origin } = run;
    setPlace(run, "running");
    run.holder = worker;
    worker.lastAssigned = ++state.assignedCount;
    const booking: Booking = {
      key,
      turn,
      origin,
      run,
      units,
      batch: delivery.batch,
      isAcknowledged: false,
      startedAt: state.step.now,
      missedBeats: 0,
      wasNamed: false,
      since: state.step.uptime,
      hasBegun: lane === undefined,
      lane,
      next: undefined,
    };
    worker.occupy(booking);
    delivery.runs.push(run);
    const resume = resumeOf(state.fold, run);
    if (resume !== undefined) {
      delivery.resumes ??= new Map();
      delivery.resumes.set(run, resume);
    }
    worker.unacknowledged++;
    if (!mustNote(state, worker, run) || !hasRoomToNote(state)) return;
    note(state, booking, worker);
    delivery.isNoted = true;
    this.hasNoted = true;
  }
}
