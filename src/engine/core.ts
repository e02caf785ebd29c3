// The one place where events meet the scheduler and its commands become deeds.
import type { Log } from "../domain/log.ts";
import { splitKey } from "../domain/run.ts";
import type { LiveRun } from "../fold/live-run.ts";
import type { AssignCommand, Command, CompactCommand, EngineOutcome, PurgeFilter } from "../matching/commands.ts";
import type { Definitions } from "../nats/definitions.ts";
import type { NatsLink } from "../nats/link.ts";
import type { Publisher } from "../nats/publisher.ts";
import { RunStore } from "../nats/run-store.ts";
import { isDue } from "../presence/assigned.ts";
import type { SchedulerEvent } from "../scheduler/events.ts";
import { createScheduler, type Scheduler, type SchedulerOptions } from "../scheduler/scheduler.ts";
import { step } from "../scheduler/step.ts";
import type { Neighbours } from "../wire/neighbours.ts";
import type { Subjects } from "../wire/subjects.ts";
import { Appender } from "./appender.ts";
import { CatchUp } from "./catch-up.ts";
import { Dispatcher } from "./dispatcher.ts";
import { Failures } from "./failures.ts";
import { Follower } from "./follower.ts";
import { Forwarder } from "./forwarder.ts";
import { Payloads } from "./payloads.ts";
import { releaseInQuietMoments } from "./quiet-moments.ts";
import type { RateStore } from "./rate-store.ts";
import { RunInputs } from "./run-inputs.ts";
import { type Term, untilStored } from "./term.ts";
import type { TriedStore } from "./tried-store.ts";

export interface CoreParts {
  readonly link: NatsLink;
  readonly publisher: Publisher;
  readonly subjects: Subjects;
  readonly log: Log;
  readonly scheduler: SchedulerOptions;
  readonly neighbours: Neighbours;
  readonly rates: RateStore;
  readonly tried: TriedStore;
  readonly definitions: Definitions;
  /** Whether the lease is still this engine's, by its own clock. */
  readonly holdsLease: () => boolean;
  /** The state was thrown away and is folded anew: whoever led on it must stop. */
  readonly onRebuild: () => void;
  /** The same, because the scheduler failed: this engine must not even take over. */
  readonly onFault: () => void;
}

const offlinePollMs = 100;

export class Core {
  /** Replaced by a new one when the log must be folded anew. */
  state: Scheduler;
  readonly store: RunStore;
  readonly subjects: Subjects;
  readonly payloads: Payloads;
  readonly failures: Failures;
  readonly follower: Follower;
  readonly #parts: CoreParts;
  readonly #inputs: RunInputs;
  readonly #dispatcher: Dispatcher;
  readonly #appender: Appender;
  readonly #forwarder: Forwarder;
  readonly #catchUp: CatchUp;
  readonly #stopReleasing = releaseInQuietMoments(() => this.follower.position);
  #isTickScheduled = false;
  #wake: ReturnType<typeof setTimeout> | undefined;
  /** On the clock of `performance.now`. */
  #ringsAt = Number.POSITIVE_INFINITY;
  #isClosed = false;
  /** Deeds of the current event, for a caller that must wait until they are done. */
  #deeds: Promise<unknown>[] = [];
  #unknown: string[] = [];
  #faults = 0;
  #recovery: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: CoreParts) {
    const { link, publisher, subjects, log, neighbours } = parts;
    this.#parts = parts;
    this.subjects = subjects;
    this.state = createScheduler(parts.scheduler);
    this.store = new RunStore(link, subjects);
    this.payloads = new Payloads(this.store, subjects, (key) => this.state.live.get(key));
    const { store, payloads } = this;
    this.failures = new Failures({
      definitions: parts.definitions,
      publisher,
      subjects,
      store,
      payloads,
      log: parts.log,
    });
    const onEvent = (event: SchedulerEvent) => this.handle(event);
    const onCaughtUp = () => void this.checkFloor();
    const onOutcomes = (subject: string, seq: number) => neighbours.saw(subject, seq);
    const onLost = (reason: string) => {
      log.error("the log is not the one this engine has read; it steps down and reads it again from the start", {
        reason,
      });
      this.follower.giveUpWaiting();
      this.#foldAnew(0);
    };
    this.follower = new Follower({ link, subjects, log, onEvent, onOutcomes, onLost, onCaughtUp });
    const isLive = (run: LiveRun) => this.state.live.get(run.key) === run;
    this.#inputs = new RunInputs({ payloads, catchUp: () => this.catchUp(), isLive });
    this.#dispatcher = new Dispatcher({
      link,
      subjects,
      inputs: this.#inputs,
      neighbours,
      log,
      isDue: (command) => this.state.leadership !== undefined && isDue(this.state.leadership.matching, command),
      onEvent,
    });
    neighbours.isListening = () => !this.#isClosed && this.state.isLeading && link.isConnected();
    neighbours.onEnded = (id, attempts) => this.handle({ type: "ended", id, attempts });
    this.#appender = new Appender({
      publisher,
      subjects,
      payloads: this.payloads,
      log,
      maxPayload: () => link.maxPayload,
      holdsLease: parts.holdsLease,
    });
    this.#forwarder = new Forwarder(link, this.follower);
    this.#catchUp = new CatchUp({ store, follower: this.follower });
  }

  /** By the server's clock. Units: epoch milliseconds */
  now(): number {
    return this.#parts.link.clock.now();
  }

  /** Steps the scheduler and does what it says; a tick follows the burst of events that this one belongs to. */
  handle(event: SchedulerEvent): void {
    if (this.#isClosed || (this.follower.isHalted && event.type !== "floor")) return;
    try {
      for (const command of step(this.state, event, this.#nowOf(event))) this.#execute(command);
    } catch (error) {
      this.#recover(event, error);
    }
    if (event.type !== "tick") this.#tickSoon();
  }

  /** An entry of the log is here: it is not later than the server says that it stored it. */
  #nowOf(event: SchedulerEvent): number {
    const { clock } = this.#parts.link;
    const isStamped = event.type === "entry" || event.type === "bundle" || event.type === "outcomes";
    return isStamped ? clock.nowAfter(event.at) : clock.now();
  }

  /** Like {@link Core.handle}; resolves when everything that the event caused is stored, sent and folded. */
  async handleFully(event: SchedulerEvent): Promise<{ readonly unknown: readonly string[] }> {
    this.#deeds = [];
    this.#unknown = [];
    this.handle(event);
    const deeds = this.#deeds;
    const unknown = this.#unknown;
    this.#deeds = [];
    await Promise.allSettled(deeds);
    return { unknown };
  }

  /** Tells the scheduler where the outcomes begin that are left, so that it notices when a purge has overtaken it. */
  async checkFloor(): Promise<void> {
    try {
      this.handle({ type: "floor", outcomesFrom: await this.store.outcomesFrom() });
    } catch (error) {
      this.#parts.log.debug("the first outcome of the log could not be found", { error });
    }
  }

  /** Resolves when all that is stored by now is folded. Fails: StoreUnavailable */
  catchUp(): Promise<void> {
    return this.#catchUp.catchUp();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#recovery);
    this.#stopReleasing();
    clearTimeout(this.#wake);
  }

  #tickSoon(): void {
    if (this.#isTickScheduled || !this.state.isLeading) return;
    this.#isTickScheduled = true;
    queueMicrotask(() => {
      this.#isTickScheduled = false;
      this.#tick();
    });
  }

  /** Without a connection nobody can be given anything, and no time counts as waiting: the scheduler sees that it was not asked. */
  #tick(): void {
    if (this.#parts.link.isConnected()) this.handle({ type: "tick" });
    else this.#wakeBy(this.now() + offlinePollMs);
  }

  #execute(command: Command): void {
    switch (command.type) {
      case "assign":
        if (command.isNoted === true) this.#do(this.#assignNoted(command));
        else void this.#dispatcher.assign(command);
        break;
      case "storeTried":
        this.#do(this.#parts.tried.store(this.state.epoch, command, this.term()));
        break;
      case "forward":
        this.#forwarder.forward(command);
        break;
      case "append":
        this.#do(this.#append(command.outcomes));
        break;
      case "cancelOn":
        this.#do(this.#dispatcher.cancelOn(command.worker, this.state.epoch, command.runs));
        break;
      case "storeRates":
        this.#do(this.#storeRates(command.rates));
        break;
      case "dropRates":
        this.#do(this.#parts.rates.drop(command.ids)); // once: the next leader reads what is left, finds it unused, and drops it
        break;
      case "createFailureRun":
        this.#do(this.failures.create(command, this.term()));
        break;
      case "storeFailureHandler":
        this.#do(this.failures.store(command, this.term(), () => this.state.leadership?.handlers.get(command.task)));
        break;
      case "readInput":
        this.#do(this.#readInput(command.run));
        break;
      case "compact":
        this.#do(this.#compact(command));
        break;
      case "purge":
        this.#do(this.#purge(command.filter, command.keepFrom));
        break;
      case "wake":
        this.#wakeBy(command.at);
        break;
      case "unknown":
        this.#unknown.push(command.key);
        break;
      case "rebuild":
        this.#rebuild(command.outcomesFrom);
        break;
      case "log":
        this.#parts.log[command.level](command.message, command.fields);
        break;
    }
  }

  /** Ends when another engine leads, or this one on another state. */
  term(): Term {
    const { state } = this;
    const { epoch } = state;
    return { isCurrent: () => !this.#isClosed && this.state === state && state.isLeading && state.epoch === epoch };
  }

  async #append(outcomes: readonly EngineOutcome[]): Promise<void> {
    await this.follower.reached(await this.#appender.append(this.term(), this.state.epoch, outcomes));
  }

  #do(deed: Promise<unknown>): void {
    const observed = deed.catch((error: unknown) => {
      if (!this.#isClosed)
        this.#parts.log.error("the engine could not carry out a command of the scheduler", { error });
    });
    this.#deeds.push(observed);
    if (this.#deeds.length > 1_000) this.#deeds = []; // nobody waits outside handleFully
  }

  /** A fault of the scheduler leaves a state that nobody can trust: it is thrown away, and another engine may lead meanwhile. */
  #recover(event: SchedulerEvent, error: unknown): void {
    const pauseMs = Math.min(1_000 * 2 ** this.#faults++, 60_000);
    const seq = "seq" in event ? event.seq : undefined;
    const what = "a bug in natchet: this engine steps down and reads the log again from the start";
    this.#parts.log.error(what, { event: event.type, ...(seq !== undefined && { seq }), inMs: pauseMs, error });
    this.#foldAnew(pauseMs);
  }

  #foldAnew(pauseMs: number): void {
    this.state = createScheduler(this.#parts.scheduler);
    this.follower.halt();
    this.#parts.onFault();
    const begin = () => {
      if (!this.#isClosed) this.follower.startOver();
    };
    clearTimeout(this.#recovery);
    this.#recovery = setTimeout(() => void this.checkFloor().then(begin), pauseMs);
  }

  #rebuild(outcomesFrom: number): void {
    this.#parts.log.warn("entries were purged before this engine had read them; it reads the log again from the start");
    this.state = createScheduler(this.#parts.scheduler);
    this.handle({ type: "floor", outcomesFrom });
    this.#parts.onRebuild();
    this.follower.startOver();
  }

  /** Nothing of the limits may start before. */
  async #storeRates(rates: Extract<Command, { type: "storeRates" }>["rates"]): Promise<void> {
    const { epoch } = this.state;
    const term = this.term();
    const what = "a rate limit, for which runs wait,";
    const stored = await untilStored(term, this.#parts.log, what, () => this.#parts.rates.store(rates, epoch));
    if (stored !== undefined && term.isCurrent()) this.handle({ type: "ratesStored", rates: stored });
  }

  /** The next leader knows of it before anybody can die of it. */
  async #assignNoted(command: AssignCommand): Promise<void> {
    const term = this.term();
    if ((await this.#parts.tried.stored()) && term.isCurrent()) await this.#dispatcher.assign(command);
  }

  async #readInput(run: LiveRun): Promise<void> {
    const { state } = this;
    const input = await this.#inputs.read(run);
    // A store that does not answer is asked again, but not in a circle.
    if (input === undefined) await new Promise((resolve) => setTimeout(resolve, 100));
    if (this.state !== state) return;
    this.handle(input === "gone" ? { type: "inputGone", run } : { type: "input", run, input });
  }

  async #compact(command: CompactCommand): Promise<void> {
    const { task, name, expectSeq } = command;
    const term = this.term();
    const tried = () => this.#appender.compact(command);
    // What does not fit stays where it is until its runs have ended: housekeeping waits for it.
    if ((await untilStored(term, this.#parts.log, `the rest of ${name}`, tried)) !== false) return;
    this.handle({ type: "compactionRefused", task, name, expectSeq });
  }

  /** Safe to repeat. One that has no answer would keep its task from ever being purged. */
  async #purge(filter: PurgeFilter, keepFrom: number): Promise<void> {
    const term = this.term();
    const subject = this.#subjectOf(filter);
    await untilStored(term, this.#parts.log, `a purge of ${subject}`, () => this.store.purge(subject, keepFrom));
    if (term.isCurrent()) this.handle({ type: "purged", filter, keepFrom });
  }

  #subjectOf(filter: PurgeFilter): string {
    const { subjects } = this;
    if (filter === "outcomes") return subjects.outcomes;
    if ("task" in filter) return subjects.runsOf(filter.task);
    if ("bundle" in filter) return subjects.bundle(filter.of, filter.bundle);
    const { task, id } = splitKey(filter.key);
    return subjects.run(task, id);
  }

  /** One timer, for the earliest wake asked for. */
  #wakeBy(at: number): void {
    const waitMs = Math.max(0, Math.min(at - this.now(), 60_000));
    const ringsAt = performance.now() + waitMs;
    if (this.#wake !== undefined && this.#ringsAt <= ringsAt) return;
    clearTimeout(this.#wake);
    this.#ringsAt = ringsAt;
    this.#wake = setTimeout(() => {
      this.#wake = undefined;
      this.#tick();
    }, waitMs);
  }
}
