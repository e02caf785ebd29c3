// Leadership: what exists only while this engine leads. `lead` makes it, and the fold tells it what changes; it is discarded as a whole.
import { isChild } from "../fold/families.ts";
import type { FinishedRun } from "../fold/finished-run.ts";
import type { Fold } from "../fold/fold.ts";
import type { FoldListener } from "../fold/listener.ts";
import type { LiveRun } from "../fold/live-run.ts";
import type { FoldedOutcome } from "../fold/log-events.ts";
import type { LoggedTask } from "../fold/logged-task.ts";
import { marked } from "../housekeeping/answers.ts";
import { suspect } from "../housekeeping/displaced.ts";
import { noteRemains, resumeErasures } from "../housekeeping/erasure.ts";
import { House, type HouseOptions } from "../housekeeping/house.ts";
import { dropJournal } from "../housekeeping/sweep.ts";
import { heedWish } from "../matching/cancel.ts";
import { endAllUnwanted, endIfUnwanted, endUnwanted, tellParent } from "../matching/durable/children.ts";
import { watchFlow } from "../matching/durable/limit-of-flow.ts";
import { isDurable } from "../matching/durable/readiness.ts";
import { wake } from "../matching/durable/wake.ts";
import { MatchingLaneHost } from "../matching/limits/matching-host.ts";
import { restoreRates } from "../matching/limits/rates.ts";
import { type Cancelled, Matching } from "../matching/matching.ts";
import { arrive, leave, placeRun } from "../matching/placement.ts";
import { releaseReported, supersede } from "../matching/release.ts";
import type { Step } from "../matching/step.ts";
import { endReported } from "../matching/unseen/lingering.ts";
import { type WorkerRecord, workerOf } from "../matching/workers.ts";
import { restoreDefinitions } from "../presence/register.ts";
import { type LeadEvent, takeOver } from "../presence/takeover.ts";
import { Failures } from "../reactions/failures.ts";
import { Reactions } from "../reactions/reactions.ts";
import { Schedules } from "../reactions/schedules.ts";
import type { Briefing } from "./briefing.ts";
import type { Faults } from "./faults.ts";
import { Waiters } from "./waiters.ts";

/** With more tasks than that, a task is forgotten once no worker has it and nothing is left of it: anybody can register any number of names. */
const mostDefinitions = 10_000;

export interface LeadershipParts {
  readonly fold: Fold;
  readonly step: Step;
  readonly briefing: Briefing;
  readonly ratesReadAt: number;
  readonly cancelled: Cancelled;
  readonly faults: Faults;
  readonly lostLimit: number;
  readonly house: HouseOptions;
}

/** What an engine knows besides the log while it leads. */
export class Leadership implements FoldListener {
  readonly matching: Matching;
  readonly house: House;
  readonly reactions: Reactions;
  readonly failures: Failures;
  readonly crons: Schedules;
  readonly waiters: Waiters;
  readonly faults: Faults;
  /** Who wrote the outcomes that are being folded, and the worker of this name, if one is known. */
  #writer = "";
  #reporter: WorkerRecord | undefined = undefined;
  /** Whether this leader has asked for the compacted entry that is being folded. */
  #isOurs = false;

  constructor(parts: LeadershipParts, event: LeadEvent) {
    const { fold, step, briefing, ratesReadAt, cancelled, faults, lostLimit, house } = parts;
    const { pauses, definitions, failures, crons, rates, erasedUpTo } = briefing;
    const { epoch, process = "" } = event;
    const lanesFor = (state: Matching) => new MatchingLaneHost(state);
    const { tasks: faulty } = faults;
    this.matching = new Matching({ fold, step, epoch, lostLimit, process, pauses, cancelled, faulty, lanesFor });
    this.faults = faults;
    this.reactions = new Reactions(step);
    this.failures = new Failures(fold, step, this.reactions, failures);
    this.crons = new Schedules(fold, step, this.reactions, epoch, crons);
    const forget = (log: LoggedTask) => this.#forget(log);
    const mayForget = (upTo: number) => [this.failures, this.crons].every((source) => source.mayForget(upTo));
    this.house = new House({ fold, step, options: house, forget, mayForget });
    this.waiters = new Waiters(fold, step);
    restoreRates(this.matching, rates, ratesReadAt);
    restoreDefinitions(this.matching, definitions);
    this.failures.makeUp();
    resumeErasures(this.house, erasedUpTo);
    takeOver(this.matching, event);
    for (const run of fold.live.values()) watchFlow(this.matching, run);
    if (fold.isWhole) endAllUnwanted(this.matching);
    fold.listener = this;
  }

  stored(name: string): void {
    const { compactions } = this.house.unanswered;
    this.#isOurs = compactions.size > 0 && compactions.delete(name);
  }
  created(run: LiveRun): void {
    arrive(this.matching, run);
    if (isDurable(run)) watchFlow(this.matching, run);
    if (isChild(run)) endIfUnwanted(this.matching, run);
  }
  moved(run: LiveRun): void {
    if (!this.#isOurs) suspect(this.house, run);
  }
  duplicated(run: FinishedRun, inbox: string): void {
    if (inbox !== "") this.waiters.forward(run, inbox);
  }
  reporting(writer: string): void {
    this.#writer = writer;
    this.#reporter = this.matching.workers.get(writer);
  }
  reported(outcome: FoldedOutcome): void {
    const { matching } = this;
    if (this.#reporter !== undefined) releaseReported(matching, this.#reporter, outcome);
    if (matching.lingering.size > 0) endReported(matching, this.#writer, outcome.origin, outcome.turn);
  }
  turned(run: LiveRun, writer: string): void {
    supersede(this.matching, run, writer);
    placeRun(this.matching, run);
    if (run.flow !== undefined) this.#leaveChildren(run);
  }
  signalled(key: string, run: LiveRun | undefined, seq: number): void {
    if (run !== undefined) wake(this.matching, run);
    else if (this.matching.fold.isWhole) this.house.spentSignals.add({ key, name: undefined, upTo: seq });
  }
  spent(key: string, name: string | undefined, upTo: number): void {
    this.house.spentSignals.add({ key, name, upTo });
  }
  wished(run: LiveRun): void {
    if (run.askedReason !== run.trail?.cancelWish?.reason || isDurable(run)) heedWish(this.matching, run);
  }
  finished(run: LiveRun, as: FinishedRun, inbox: string): void {
    const { matching } = this;
    leave(matching, run);
    if (workerOf(run) !== undefined) supersede(matching, run, as.writer);
    this.waiters.tell(as, inbox);
    if (as.kind === "failed") this.failures.failed(as);
    const { families } = matching.fold;
    if (families.isEmpty) return;
    if (isChild(run)) tellParent(matching, as);
    this.#leaveChildren(run);
  }
  learned(run: FinishedRun): void {
    tellParent(this.matching, run);
  }
  remained({ key }: FinishedRun): void {
    noteRemains(this.house, key);
  }
  forgot(run: FinishedRun): void {
    dropJournal(this.house, run);
    this.house.remains.delete(run.key); // another run may have its id soon
  }
  /** Ends the children that the run no longer waits for. */
  #leaveChildren({ origin }: LiveRun): void {
    const { families } = this.matching.fold;
    if (families.isEmpty) return;
    this.house.isUnpinDue = true;
    endUnwanted(this.matching, families.get(origin));
  }
  marked(upTo: number, writer: string): void {
    if (writer === `e${this.matching.epoch}`) marked(this.house, upTo);
  }

  #forget(log: LoggedTask): boolean {
    const { name } = log;
    const { queues, step } = this.matching;
    const queue = queues.get(name);
    if (queue !== undefined && queue.workers.size > 0) return false;
    if (queue?.definition !== undefined) {
      if (queues.size <= mostDefinitions) return false;
      step.commands.push({ type: "forgetTask", task: name });
    }
    queues.delete(name);
    log.attached = undefined;
    return true;
  }
}
