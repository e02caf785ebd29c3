// The core of an engine: the one place where events meet the scheduler.
import { Bucket } from "../leader/bucket.ts";
import type { Leader } from "../leader/leader.ts";
import { Term } from "../leader/term.ts";
import type { Command } from "../matching/commands.ts";
import { LogProgress } from "../nats/log-progress.ts";
import { RecordStore } from "../nats/record-store.ts";
import { RunStore } from "../nats/run-store.ts";
import { LiveSpan } from "../reactions/live-span.ts";
import { Alarm } from "../runtime/alarm.ts";
import { onceATick } from "../runtime/once-a-tick.ts";
import type { SchedulerEvent } from "../scheduler/events.ts";
import { Faults } from "../scheduler/faults.ts";
import { createScheduler, type Scheduler, type SchedulerOptions } from "../scheduler/scheduler.ts";
import { step } from "../scheduler/step.ts";
import { Deeds } from "./deeds.ts";
import { Follower } from "./follower.ts";

type Given = "engine" | "link" | "publisher" | "subjects" | "log" | "neighbours" | "holdsLease";
export interface CoreParts extends Pick<Leader, Given> {
  readonly scheduler: SchedulerOptions;
}

const offlinePollMs = 100;
const longestSleepMs = 60_000;
const forgetFaultsMs = 600_000;

export class Core implements Leader {
  readonly engine: string;
  readonly link: CoreParts["link"];
  readonly publisher: CoreParts["publisher"];
  readonly subjects: CoreParts["subjects"];
  readonly log: CoreParts["log"];
  readonly neighbours: CoreParts["neighbours"];
  readonly holdsLease: CoreParts["holdsLease"];
  readonly bucket: Bucket;
  readonly store: RunStore;
  readonly progress: LogProgress;
  state: Scheduler;
  /** Set by each reign; ended by this core when it discards the state on which the engine led. */
  term: Term;
  readonly follower: Follower;
  readonly #options: SchedulerOptions;
  readonly #deeds: Deeds;
  readonly life: LiveSpan;
  readonly #tickSoon = onceATick(() => this.#tick(), queueMicrotask);
  readonly #wake = new Alarm(() => this.#tick());
  #isClosed = false;
  readonly #faults = new Faults();
  #faultsInARow = 0;
  #failedAt = 0;
  #recovery: ReturnType<typeof setTimeout> | undefined;

  constructor({ engine, link, publisher, subjects, log, scheduler, neighbours, holdsLease }: CoreParts) {
    this.engine = engine;
    this.link = link;
    this.publisher = publisher;
    this.subjects = subjects;
    this.log = log;
    this.neighbours = neighbours;
    this.holdsLease = holdsLease;
    this.term = new Term(0, log);
    this.bucket = new Bucket(new RecordStore(link, subjects), log, () => this.term, holdsLease);
    this.store = new RunStore(link, subjects);
    this.progress = new LogProgress(this.store);
    this.#options = scheduler;
    this.state = this.#newState();
    this.life = new LiveSpan(
      () => this.now(),
      () => performance.now(),
    );
    this.follower = new Follower({
      ...{ link, subjects, log, neighbours, progress: this.progress },
      onEvent: (event) => this.handle(event),
      onSignal: (seq, data) => this.state.isLeading && this.#deeds.signals.saw(seq, data),
      onCaughtUp: () => void this.checkFloor(),
      onLost: (reason) => this.#lose(reason),
    });
    this.#deeds = new Deeds(this);
    neighbours.holdsLease = holdsLease;
    neighbours.isListening = () => !this.#isClosed && this.state.isLeading && link.isConnected();
    neighbours.onEnded = (id, attempts) => this.handle({ type: "ended", id, attempts });
  }

  get folding(): Leader["folding"] {
    return this.follower.current;
  }

  now(): number {
    return this.link.clock.now();
  }

  /** Steps the scheduler and carries out its commands. If it leads, one tick follows each burst of events. */
  handle(event: SchedulerEvent): void {
    if (this.#isClosed || (this.follower.isHalted && event.type !== "floor")) return;
    try {
      for (const command of step(this.state, event, this.#nowOf(event))) this.#do(command);
    } catch (error) {
      this.#recover(event, error);
    }
    if (event.type !== "tick" && this.state.isLeading) this.#tickSoon();
  }

  /** Never before the stamp of a log entry: the server has set it, so it cannot be in the future. */
  #nowOf(event: SchedulerEvent): number {
    const { clock } = this.link;
    const isStamped = event.type === "entry" || event.type === "bundle" || event.type === "outcomes";
    return isStamped ? clock.nowAfter(event.at) : clock.now();
  }

  #do(command: Command): void {
    if (command.type === "wake") this.#wakeBy(command.at);
    else if (command.type === "rebuild") this.#rebuild(command.outcomesFrom);
    else this.#deeds.do(command);
  }

  handleFully(event: SchedulerEvent): Promise<void> {
    return this.#deeds.whole(() => this.handle(event));
  }

  /** Tells the scheduler where the remaining outcomes begin, so that it notices when a purge has overtaken it. */
  async checkFloor(): Promise<void> {
    try {
      this.handle({ type: "floor", outcomesFrom: await this.store.outcomesFrom() });
    } catch (error) {
      this.log.debug("the first outcome of the log could not be found", { error });
    }
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#recovery);
    this.#wake.off();
  }

  /** Does not tick without a connection: nothing can be assigned, and by the missing ticks the scheduler sees that no time counts as waiting. */
  #tick(): void {
    this.life.beat();
    if (this.link.isConnected()) this.handle({ type: "tick", livesSince: this.life.since });
    else this.#wakeBy(this.now() + offlinePollMs);
  }

  #newState(): Scheduler {
    return createScheduler(this.#options, this.#faults);
  }

  /** Steps down and folds the log again, after a pause that doubles with each fault. Another engine may lead meanwhile. */
  #recover(event: SchedulerEvent, error: unknown): void {
    const now = performance.now();
    if (now - this.#failedAt > forgetFaultsMs) this.#faultsInARow = 0;
    this.#failedAt = now;
    const pauseMs = Math.min(1_000 * 2 ** this.#faultsInARow++, 60_000);
    const seq = "seq" in event ? { seq: event.seq } : {};
    const blame = this.#faults.blame(event, this.state.step.about);
    const what = "a bug in natchet: this engine steps down and reads the log again from the start";
    this.log.error(what, { event: event.type, ...seq, ...blame, inMs: pauseMs, error });
    this.#foldAnew(pauseMs);
  }

  #lose(reason: string): void {
    const what = "the log is not the one this engine has read; it steps down and reads it again from the start";
    this.log.error(what, { reason });
    this.progress.giveUpWaiting();
    this.#foldAnew(0);
  }

  #foldAnew(pauseMs: number): void {
    this.state = this.#newState();
    this.follower.halt();
    this.term.end();
    const begin = () => {
      if (!this.#isClosed) this.follower.startOver();
    };
    clearTimeout(this.#recovery);
    this.#recovery = setTimeout(() => void this.checkFloor().then(begin), pauseMs);
  }

  #rebuild(outcomesFrom: number): void {
    this.log.warn("entries were purged before this engine had read them; it reads the log again from the start");
    if (this.state.isLeading) this.term.end();
    this.state = this.#newState();
    this.handle({ type: "floor", outcomesFrom });
    this.follower.startOver();
  }

  #wakeBy(at: number): void {
    this.#wake.setIn(Math.max(0, Math.min(at - this.now(), longestSleepMs)));
  }
}
