// Carries out the scheduler's commands. Writes are retried until they succeed, or until the term is over.
import type { Log } from "../domain/log.ts";
import { splitKey } from "../domain/run.ts";
import type { LiveRun } from "../fold/live-run.ts";
import type { Bucket } from "../leader/bucket.ts";
import type { Term } from "../leader/term.ts";
import type { AssignCommand, Command, CompactCommand, EngineOutcome, PurgeFilter } from "../matching/commands.ts";
import type { NatsLink } from "../nats/link.ts";
import type { Publisher } from "../nats/publisher.ts";
import type { RunStore } from "../nats/run-store.ts";
import { isDue } from "../presence/assigned.ts";
import type { SchedulerEvent } from "../scheduler/events.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import type { Neighbours } from "../wire/neighbours.ts";
import type { Subjects } from "../wire/subjects.ts";
import { Appender } from "./appender.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { Follower } from "./follower.ts";
import { Forwarder } from "./forwarder.ts";
import { Leftovers } from "./leftovers.ts";
import { Payloads } from "./payloads.ts";
import { Reacting } from "./reacting.ts";
import { Signals } from "./signals.ts";

type CommandOf<T extends Command["type"]> = Extract<Command, { type: T }>;

export interface DeedsParts {
  readonly link: NatsLink;
  readonly publisher: Publisher;
  readonly subjects: Subjects;
  readonly log: Log;
  readonly neighbours: Neighbours;
  readonly bucket: Bucket;
  readonly store: RunStore;
  readonly follower: Follower;
  /** Whether the lease is still this engine's, by its own clock. */
  readonly holdsLease: () => boolean;
  readonly state: () => Scheduler;
  readonly term: () => Term;
  readonly catchUp: () => Promise<void>;
  readonly onEvent: (event: SchedulerEvent) => void;
}

/** Inputs are requested again, but not in a loop. Units: milliseconds */
const readAgainMs = 100;

export class Deeds {
  readonly #parts: DeedsParts;
  readonly #payloads: Payloads;
  readonly #reacting: Reacting;
  readonly #dispatcher: Dispatcher;
  readonly #appender: Appender;
  readonly #forwarder: Forwarder;
  readonly signals: Signals;
  readonly #leftovers: Leftovers;
  /** Work caused by the current event, for a caller that must wait until it is done. */
  #open: Promise<unknown>[] = [];

  constructor(parts: DeedsParts) {
    const { link, subjects, store, state } = parts;
    this.#parts = parts;
    const payloads = new Payloads({ store, subjects, find: (key) => state().live.get(key), catchUp: parts.catchUp });
    this.#payloads = payloads;
    this.#reacting = new Reacting({ ...parts, payloads, now: () => link.clock.now() });
    const matching = () => state().leadership?.matching;
    const isStillDue = (command: AssignCommand) => {
      const leading = matching();
      return leading !== undefined && isDue(leading, command);
    };
    const reached = (seq: number) => parts.follower.reached(seq);
    const maxPayload = () => link.maxPayload;
    this.signals = new Signals({ ...parts, maxPayload, reached, fold: () => state().fold });
    this.#leftovers = new Leftovers(parts);
    const secretOf = (worker: string) => state().workers.get(worker)?.secret;
    this.#dispatcher = new Dispatcher({ ...parts, signals: this.signals, payloads, secretOf, isDue: isStillDue });
    this.#appender = new Appender({ ...parts, payloads, maxPayload });
    this.#forwarder = new Forwarder(link, parts.follower, parts.log);
  }

  /** Resolves when everything `act` causes is stored, sent and folded. */
  async whole(act: () => void): Promise<void> {
    this.#open = [];
    act();
    const open = this.#open;
    this.#open = [];
    await Promise.allSettled(open);
  }

  /** In this order: everything stored before the server's time is folded when the scheduler learns of it. Requested again if no answer comes. */
  async #askForEnd(gaps: number): Promise<void> {
    const { store, catchUp, onEvent, log } = this.#parts;
    const term = this.#parts.term();
    try {
      const at = (await store.time()) ?? 0;
      await catchUp();
      if (term.isCurrent) onEvent({ type: "heard", at, gaps });
    } catch (error) {
      log.debug("the end of the log could not be found", { error });
    }
  }

  do(command: Command): void {
    const { bucket, state, term, log } = this.#parts;
    switch (command.type) {
      case "assign":
        if (command.isNoted === true) this.#observe(this.#assignNoted(command));
        else void this.#dispatcher.assign(command);
        break;
      case "storeTried":
        this.#observe(bucket.tried.store(command, term()));
        break;
      case "forward":
        this.#forwarder.forward(command);
        break;
      case "append":
        this.#observe(this.#append(command.outcomes));
        break;
      case "cancelOn":
        this.#observe(this.#dispatcher.cancelOn(command.worker, state().epoch, command.runs));
        break;
      case "storeRates":
        this.#observe(this.#storeRates(command));
        break;
      case "dropRates":
        this.#observe(bucket.rates.drop(command.ids)); // once: the next leader reads what is left, finds it unused, and drops it
        break;
      case "react":
        this.#observe(this.#react(command));
        break;
      case "storeCron":
        this.#observe(this.#storeCron(command));
        break;
      case "storeHandled":
        this.#observe(this.#storeHandled(command));
        break;
      case "storeFailureHandler":
        bucket.kept.keep(`on-failure.${command.task}`, command.handler, term());
        break;
      case "forgetTask":
        bucket.kept.keep(`task.${command.task}`, undefined, term());
        break;
      case "readInput":
        this.#observe(this.#readInput(command.run));
        break;
      case "compact":
        this.#observe(this.#compact(command));
        break;
      case "purge":
        this.#observe(this.#purge(command));
        break;
      case "log":
        log[command.level](command.message, command.fields);
        break;
      default:
        this.#ask(command);
    }
  }

  /** Commands that are repeated if nothing comes of them: nobody waits for these. */
  #ask(command: Command): void {
    if (command.type === "askForEnd") void this.#askForEnd(command.gaps);
    else if (command.type === "purgeJournal") void this.#leftovers.purge(command);
    else if (command.type === "sweep") void this.#leftovers.sweep();
  }

  #observe(deed: Promise<unknown>): void {
    const observed = deed.catch((error: unknown) => {
      this.#parts.log.error("the engine could not carry out a command of the scheduler", { error });
    });
    this.#open.push(observed);
    if (this.#open.length > 1_000) this.#open = []; // nobody waits outside `whole`
  }

  /** Tries until it is stored, then tells the scheduler, unless the term is over by then. `refused`: the event for what can never be stored. */
  async #store<T>(
    what: string,
    deed: () => Promise<T>,
    eventOf: (stored: T) => SchedulerEvent | undefined,
    refused?: T,
  ): Promise<void> {
    const { log, onEvent } = this.#parts;
    const term = this.#parts.term();
    const stored = await term.untilStored(what, deed).catch((error: unknown) => {
      if (term.isCurrent) log.error(`${what} cannot be stored`, { error });
      return refused;
    });
    const event = stored === undefined || !term.isCurrent ? undefined : eventOf(stored);
    if (event !== undefined) onEvent(event);
  }

  async #append(outcomes: readonly EngineOutcome[]): Promise<void> {
    const { term, follower } = this.#parts;
    await follower.reached(await this.#appender.append(term(), outcomes));
  }

  /** Nothing under these limits may start before. */
  #storeRates({ rates }: CommandOf<"storeRates">): Promise<void> {
    const { bucket, state } = this.#parts;
    const { epoch } = state();
    const what = "a rate limit, for which runs wait,";
    return this.#store(
      what,
      () => bucket.rates.store(rates, epoch),
      (stored) => ({ type: "ratesStored", rates: stored }),
    );
  }

  /** The next leader must know before anybody can die of it. */
  async #assignNoted(command: AssignCommand): Promise<void> {
    const { bucket } = this.#parts;
    const term = this.#parts.term();
    if ((await bucket.tried.stored()) && term.isCurrent) await this.#dispatcher.assign(command);
  }

  #react({ n, reaction }: CommandOf<"react">): Promise<void> {
    const create = async () => {
      await this.#reacting.create(reaction);
      return true;
    };
    return this.#store(`run ${reaction.task}/${reaction.id}`, create, () => ({ type: "reacted", n }), false);
  }

  #storeCron({ record, over }: CommandOf<"storeCron">): Promise<void> {
    const { bucket } = this.#parts;
    const { name } = record;
    const write = () => bucket.crons.write(record, over.seq);
    const refused = { isOurs: false, there: over };
    return this.#store(`cron "${name}"`, write, (written) => ({ type: "cronWritten", name, ...written }), refused);
  }

  #storeHandled({ upTo }: CommandOf<"storeHandled">): Promise<void> {
    const { bucket, state } = this.#parts;
    const { epoch } = state();
    return this.#store(
      "how far failures are handled",
      () => bucket.storeHandled(epoch, upTo),
      () => ({ type: "handledStored", upTo }),
    );
  }

  async #readInput(run: LiveRun): Promise<void> {
    const { state, onEvent } = this.#parts;
    const before = state();
    const input = await this.#payloads.ofLive(run);
    if (input === undefined) await new Promise((resolve) => setTimeout(resolve, readAgainMs));
    if (state() !== before) return;
    onEvent(input === "gone" ? { type: "inputGone", run } : { type: "input", run, input });
  }

  /** What does not fit stays where it is until its runs have ended; housekeeping waits for that. */
  #compact(command: CompactCommand): Promise<void> {
    const { task, name, expectSeq } = command;
    const compact = () => this.#appender.compact(command);
    return this.#store(`the rest of ${name}`, compact, (isStored) =>
      isStored ? undefined : { type: "compactionRefused", task, name, expectSeq },
    );
  }

  /** Safe to repeat. One without an answer would keep its task from ever being purged. */
  #purge({ filter, keepFrom }: CommandOf<"purge">): Promise<void> {
    const { store } = this.#parts;
    const subject = this.#subjectOf(filter);
    return this.#store(
      `a purge of ${subject}`,
      () => store.purge(subject, keepFrom),
      () => ({ type: "purged", filter, keepFrom }),
    );
  }

  #subjectOf(filter: PurgeFilter): string {
    const { subjects } = this.#parts;
    if (filter === "outcomes") return subjects.outcomes;
    if ("task" in filter) return subjects.runsOf(filter.task);
    if ("signalsOf" in filter) return subjects.signalsOf(filter.signalsOf, filter.name);
    if ("bundle" in filter) return subjects.bundle(filter.of, filter.bundle);
    const { task, id } = splitKey(filter.key);
    return subjects.run(task, id);
  }
}
