// The live host: what the attempts of a connected worker have in common, and what becomes of them. It logs, counts and reports how they begin and
// end.
import { isFinal } from "../domain/run.ts";
import type { Attempt, AttemptHost } from "./attempt.ts";
import { Deadlines } from "./deadline.ts";
import { EndedAttempts } from "./ended-attempts.ts";
import { outcomeOf, type StoredOutcome } from "./outcome.ts";
import type { Presence } from "./presence/presence.ts";
import { Reporter } from "./reporter.ts";
import type { Self } from "./self.ts";
import { voicesOf } from "./transcripts/voices.ts";
import type { Verdict } from "./verdict.ts";

export interface LiveHostParts {
  readonly self: Self;
  readonly presence: Pick<Presence, "beat" | "beatSoon">;
  readonly graceMs: number;
}

export class LiveHost implements AttemptHost {
  readonly worker: string;
  readonly vault: Self["vault"];
  readonly graceMs: number;
  readonly deadlines = new Deadlines();
  readonly voiceFor: AttemptHost["voiceFor"];
  readonly #self: Self;
  readonly #presence: LiveHostParts["presence"];
  readonly #ended: EndedAttempts;
  readonly #reporter: Reporter;
  /** Ended attempts whose last output is being stored. */
  readonly #telling = new Set<Promise<void>>();
  /** Attempts with a verdict whose code has not ended yet. */
  #decided = 0;

  constructor({ self, presence, graceMs }: LiveHostParts) {
    this.worker = self.id;
    this.vault = self.vault;
    this.graceMs = graceMs;
    this.voiceFor = voicesOf(self.name, self);
    this.#self = self;
    this.#presence = presence;
    this.#ended = new EndedAttempts(self);
    const { id, name, link, publisher, subjects, neighbours, log, held, executing } = self;
    this.#reporter = new Reporter({
      ...{ worker: id, publisher, subjects, witness: neighbours },
      entryBytes: () => Math.floor(link.maxPayload / 4),
      undecided: () => executing.size - this.#decided,
      onStored: (attempt) => held.release(attempt),
      onTrouble: (error) => log.warn("outcomes could not be stored yet; retrying", { worker: name, error }),
    });
  }

  nowAfter(stampMs: number): number {
    return this.#self.link.clock.nowAfter(stampMs);
  }

  mayBegin(): boolean {
    return this.#self.lifeline.isAlive();
  }

  onBegin(attempt: Attempt): void {
    const { meter, log, name } = this.#self;
    const { task, assignment } = attempt;
    meter?.started(task.name);
    if (task.policies?.rateLimits !== undefined) this.#presence.beatSoon(); // the engine counts the rate from here
    log.info("run started", { worker: name, run: assignment.key, attempt: assignment.attempt });
  }

  /** A heartbeat tells the engine that slots are free, and runs that wait for one begin. */
  onSlotless(): void {
    void this.#presence.beat();
    this.#self.ahead.startNext();
  }

  onVerdict(attempt: Attempt, verdict: Verdict): void {
    this.#decided += 1;
    attempt.batch?.left(attempt.runId);
    const { link, vault, meter } = this.#self;
    const at = link.clock.nowAfter(attempt.startedAt);
    const options = { worker: this.worker, maxPayload: link.maxPayload, random: Math.random, vault };
    const outcome = outcomeOf(attempt, verdict, at, options);
    if (verdict.kind === "fenced" || (attempt.isFenced && outcome.kind !== "completed")) {
      this.#forget(attempt, at);
      return;
    }
    const waiter = isFinal(outcome.kind) ? attempt.assignment.waiter : "";
    const report = { attempt, frame: outcome.frame, waiter };
    const told = attempt.spoken?.end(outcome.kind);
    if (told === undefined) this.#reporter.report(report);
    else this.#follow(told, () => this.#reporter.report(report)); // whoever learns of its end must find its transcript complete
    meter?.ended(attempt.taskName, outcome.kind, at - attempt.startedAt);
    this.#tell(attempt, outcome, at);
  }

  onEnd(attempt: Attempt): void {
    if (attempt.isOver) {
      this.#decided -= 1;
      this.#self.meter?.left();
    }
    this.#ended.add(attempt.assignment);
    this.#self.ahead.startNext();
  }

  /** Resolves when the output and the outcomes of ended attempts are stored. */
  async stored(): Promise<void> {
    while (this.#telling.size > 0) await Promise.all(this.#telling);
    await this.#reporter.idle();
  }

  /** Gives up outcomes that are not stored: their runs execute again elsewhere. */
  close(): void {
    this.#reporter.close();
  }

  /** Ends a fenced attempt without an outcome: nobody waits for it. */
  #forget(attempt: Attempt, at: number): void {
    const { meter, log, held, name } = this.#self;
    const { taskName, startedAt, assignment } = attempt;
    meter?.ended(taskName, "fenced", at - startedAt);
    const fields = { worker: name, run: assignment.key, attempt: assignment.attempt };
    log.info("an attempt that no longer counts has ended", fields);
    const forget = () => {
      held.forget(attempt);
      void this.#presence.beat();
    };
    const told = attempt.spoken?.end("returned");
    if (told === undefined) forget();
    else this.#follow(told, forget);
  }

  #follow(told: Promise<void>, next: () => void): void {
    this.#telling.add(told);
    void told.then(() => {
      this.#telling.delete(told);
      next();
    });
  }

  #tell({ assignment, startedAt }: Attempt, { kind, error, dueAt }: StoredOutcome, at: number): void {
    const { log, name } = this.#self;
    const fields = { worker: name, run: assignment.key, attempt: assignment.attempt, ms: at - startedAt };
    if (kind === "completed") log.info("run completed", fields);
    else if (kind === "retry")
      log.warn("run failed, will be retried", { ...fields, inMs: Math.round(dueAt - at), error });
    else if (kind === "failed") log.error("run failed", { ...fields, error });
    else log.info(`run ${kind}`, fields);
  }
}
