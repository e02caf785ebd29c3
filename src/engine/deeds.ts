// Carries out the scheduler's commands. Writes are retried until they succeed, or until the term is over.
import { splitKey } from "../domain/run.ts";
import type { LiveRun } from "../fold/live-run.ts";
import type { Leader } from "../leader/leader.ts";
import type { AssignCommand, Command, CompactCommand, EngineOutcome, PurgeFilter } from "../matching/commands.ts";
import type { SchedulerEvent } from "../scheduler/events.ts";
import { Appender } from "./appender.ts";
import { Dispatcher } from "./dispatcher.ts";
import { Forwarder } from "./forwarder.ts";
import { purgeJournal, sweep } from "./leftovers.ts";
import { Payloads } from "./payloads.ts";
import { createRun } from "./reacting.ts";
import { Signals } from "./signals.ts";

/** A command that is carried out here; `wake` and `rebuild` concern the core itself. */
type Deed = Exclude<Command, { readonly type: "wake" | "rebuild" }>;

/** Pause before an input that cannot be read now may be requested again. Units: milliseconds */
const readAgainMs = 100;

export class Deeds {
  readonly signals: Signals;
  readonly #leader: Leader;
  readonly #payloads: Payloads;
  readonly #dispatcher: Dispatcher;
  readonly #appender: Appender;
  readonly #forwarder: Forwarder;
  /** Work caused by the current event, for a caller that must wait until it is done. */
  #open: Promise<unknown>[] = [];

  constructor(leader: Leader) {
    this.#leader = leader;
    this.#payloads = new Payloads(leader);
    this.signals = new Signals(leader);
    this.#dispatcher = new Dispatcher(leader, this.#payloads, this.signals);
    this.#appender = new Appender(leader, this.#payloads);
    this.#forwarder = new Forwarder(leader);
  }

  /** Returns a promise if a caller may wait until the deed is done. Where the promise is `void`, the scheduler gives the command again if need be. */
  readonly #does: { readonly [D in Deed as D["type"]]: (deed: D) => unknown } = {
    assign: (deed) => (deed.isNoted === true ? this.#assignNoted(deed) : void this.#dispatcher.assign(deed)),
    cancelOn: ({ worker, runs }) => this.#dispatcher.cancelOn(worker, runs),
    forward: (deed) => this.#forwarder.forward(deed),
    append: ({ outcomes }) => this.#append(outcomes),
    compact: (deed) => this.#compact(deed),
    purge: ({ filter, keepFrom }) => this.#purge(filter, keepFrom),
    react: ({ n, reaction }) => {
      const reacted = { type: "reacted", n } as const;
      const create = () => createRun(this.#leader, reaction).then(() => reacted);
      return this.#store(`run ${reaction.task}/${reaction.id}`, create, reacted);
    },
    readInput: ({ run }) => this.#readInput(run),
    askForEnd: ({ gaps }) => void this.#askForEnd(gaps),
    purgeJournal: (deed) => void purgeJournal(this.#leader, deed),
    sweep: () => void sweep(this.#leader),
    storeTried: (deed) => this.#leader.bucket.tried.store(deed),
    // No run under these limits may start before they are stored.
    storeRates: ({ rates }) =>
      this.#store("a rate limit, for which runs wait,", async () => ({
        type: "ratesStored",
        rates: await this.#leader.bucket.storeRates(rates),
      })),
    dropRates: ({ ids }) => this.#leader.bucket.dropRates(ids), // tried once: the next leader reads what is left, finds it unused, and drops it
    storeCron: ({ record, over }) => {
      const { name } = record;
      const written = { type: "cronWritten", name } as const;
      const write = async () => ({ ...written, ...(await this.#leader.bucket.crons.write(record, over.seq, name)) });
      return this.#store(`cron "${name}"`, write, { ...written, isOurs: false, there: over });
    },
    storeHandled: ({ upTo }) =>
      this.#store("how far failures are handled", async () => {
        const isOurs = await this.#leader.bucket.storeHandled(upTo);
        return isOurs && { type: "handledStored", upTo };
      }),
    storeErased: ({ upTo }) =>
      this.#store("how far runs are erased", async () => void (await this.#leader.bucket.storeErased(upTo))),
    storeFailureHandler: ({ task, handler }) => this.#leader.bucket.kept.keep(`on-failure.${task}`, handler),
    forgetTask: ({ task }) => this.#leader.bucket.kept.keep(`task.${task}`, undefined),
    log: ({ level, message, fields }) => this.#leader.log[level](message, fields),
  };

  do(deed: Deed): void {
    const done = (this.#does[deed.type] as (deed: Deed) => unknown)(deed);
    if (done instanceof Promise) this.#observe(done);
  }

  /** Resolves when everything `act` causes is stored, sent and folded. */
  async whole(act: () => void): Promise<void> {
    this.#open = [];
    act();
    const open = this.#open;
    this.#open = [];
    await Promise.allSettled(open);
  }

  #observe(deed: Promise<unknown>): void {
    const observed = deed.catch((error: unknown) => {
      this.#leader.log.error("the engine could not carry out a command of the scheduler", { error });
    });
    this.#open.push(observed);
    if (this.#open.length > 1_000) this.#open = []; // outside of `whole` nobody waits for these
  }

  /** Retries until it is stored, then gives the event to the scheduler, unless the term is over. `refused`: the event if it can never be stored. */
  async #store(what: string, deed: () => Promise<SchedulerEvent | undefined>, refused?: SchedulerEvent): Promise<void> {
    const { term, log } = this.#leader;
    const event = await term.untilStored(what, deed).catch((error: unknown) => {
      if (term.isCurrent) log.error(`${what} cannot be stored`, { error });
      return refused;
    });
    if (event !== undefined && term.isCurrent) this.#leader.handle(event);
  }

  async #append(outcomes: readonly EngineOutcome[]): Promise<void> {
    await this.#leader.progress.reached(await this.#appender.append(this.#leader.term, outcomes));
  }

  /** Assigns runs only once it is stored that they are tried: should they kill the process, the next leader must know. */
  async #assignNoted(command: AssignCommand): Promise<void> {
    const { term, bucket } = this.#leader;
    if ((await bucket.tried.stored()) && term.isCurrent) await this.#dispatcher.assign(command);
  }

  async #readInput(run: LiveRun): Promise<void> {
    const before = this.#leader.state;
    const input = await this.#payloads.ofLive(run);
    if (input === undefined) await new Promise((resolve) => setTimeout(resolve, readAgainMs));
    if (this.#leader.state !== before) return;
    this.#leader.handle(input === "gone" ? { type: "inputGone", run } : { type: "input", run, input });
  }

  /** An entry that does not fit in compacted form stays where it is until its runs have ended; housekeeping waits for that. */
  #compact(command: CompactCommand): Promise<void> {
    const { task, name, expectSeq } = command;
    return this.#store(`the rest of ${name}`, async () => {
      const isStored = await this.#appender.compact(command);
      return isStored ? undefined : { type: "compactionRefused", task, name, expectSeq };
    });
  }

  /** Safe to repeat. It is retried, because a task whose purge has no answer would never be purged again. */
  #purge(filter: PurgeFilter, keepFrom: number): Promise<void> {
    const subject = this.#subjectOf(filter);
    return this.#store(`a purge of ${subject}`, async () => {
      await this.#leader.store.purge(subject, keepFrom);
      return { type: "purged", filter, keepFrom };
    });
  }

  #subjectOf(filter: PurgeFilter): string {
    const { subjects } = this.#leader;
    if (filter === "outcomes") return subjects.outcomes;
    if ("task" in filter) return subjects.runsOf(filter.task);
    if ("signalsOf" in filter) return subjects.signalsOf(filter.signalsOf, filter.name);
    if ("bundle" in filter) return subjects.bundle(filter.of, filter.bundle);
    const { task, id } = splitKey(filter.key);
    return subjects.run(task, id);
  }

  /**
   * The order matters: everything that was stored before the server's time is folded when the scheduler learns of that time. Entries that were
   * skipped may have been outcomes, if another leader has purged ahead of this one; then the fold is wrong, and the floor shows it. The scheduler
   * asks again if no answer comes.
   */
  async #askForEnd(gaps: number): Promise<void> {
    const { term, store, log } = this.#leader;
    try {
      const at = (await store.time()) ?? 0;
      await this.#leader.progress.catchUp();
      if (!this.#leader.state.fold.isWhole)
        this.#leader.handle({ type: "floor", outcomesFrom: await store.outcomesFrom() });
      if (term.isCurrent) this.#leader.handle({ type: "heard", at, gaps });
    } catch (error) {
      log.debug("the end of the log could not be found", { error });
    }
  }
}
