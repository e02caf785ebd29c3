// From the verdict on an attempt to its stored outcome: decided, logged, counted, reported.
import { isFinal } from "../domain/run.ts";
import type { Attempt } from "./attempt.ts";
import { outcomeOf, type StoredOutcome } from "./outcome.ts";
import type { Report, Reporter } from "./reporter.ts";
import type { Verdict } from "./verdict.ts";
import type { WorkerParts } from "./worker-parts.ts";

export interface VerdictsParts extends Pick<WorkerParts, "link" | "log" | "vault" | "meter"> {
  /** Id of the worker. */
  readonly worker: string;
  /** Its name, for the log of the process. */
  readonly name: string;
  readonly reporter: Reporter;
  /** A fenced attempt has ended: nobody waits for it, and nothing of it is stored. */
  readonly onFenced: (attempt: Attempt) => void;
}

export class Verdicts {
  readonly #parts: VerdictsParts;
  /** Ended attempts whose last output is being stored. */
  readonly #telling = new Set<Promise<void>>();

  constructor(parts: VerdictsParts) {
    this.#parts = parts;
  }

  give(attempt: Attempt, verdict: Verdict): void {
    const { worker, link, vault, meter, reporter } = this.#parts;
    const at = link.clock.nowAfter(attempt.startedAt);
    const { maxPayload } = link;
    const outcome = outcomeOf(attempt, verdict, at, { worker, maxPayload, random: Math.random, vault });
    if (verdict.kind === "fenced" || (attempt.isFenced && outcome.kind !== "completed")) {
      this.#forget(attempt, at);
      return;
    }
    const waiter = isFinal(outcome.kind) ? attempt.assignment.waiter : "";
    const report = { attempt, frame: outcome.frame, waiter };
    const told = attempt.spoken?.end(outcome.kind);
    if (told === undefined) reporter.report(report);
    else this.#reportAfter(told, report);
    meter?.ended(attempt.taskName, outcome.kind, at - attempt.startedAt);
    this.#tell(attempt, outcome, at);
  }

  /** Gives up outcomes that are not stored: their runs execute again elsewhere. */
  close(): void {
    this.#parts.reporter.close();
  }

  #forget(attempt: Attempt, at: number): void {
    const { meter, log, name, onFenced } = this.#parts;
    const { assignment, taskName, startedAt, spoken } = attempt;
    meter?.ended(taskName, "fenced", at - startedAt);
    const fields = { worker: name, run: assignment.key, attempt: assignment.attempt };
    log.info("an attempt that no longer counts has ended", fields);
    const told = spoken?.end("returned");
    if (told === undefined) onFenced(attempt);
    else this.#follow(told, () => onFenced(attempt));
  }

  /** Resolves when the output and the outcomes of ended attempts are stored. */
  async stored(): Promise<void> {
    while (this.#telling.size > 0) await Promise.all(this.#telling);
    await this.#parts.reporter.idle();
  }

  /** Whoever learns that a run has ended finds its complete transcript. */
  #reportAfter(told: Promise<void>, report: Report): void {
    this.#follow(told, () => this.#parts.reporter.report(report));
  }

  #follow(told: Promise<void>, next: () => void): void {
    this.#telling.add(told);
    void told.then(() => {
      this.#telling.delete(told);
      next();
    });
  }

  #tell({ assignment, startedAt }: Attempt, { kind, error, dueAt }: StoredOutcome, at: number): void {
    const { log, name } = this.#parts;
    const fields = { worker: name, run: assignment.key, attempt: assignment.attempt, ms: at - startedAt };
    if (kind === "completed") log.info("run completed", fields);
    else if (kind === "retry")
      log.warn("run failed, will be retried", { ...fields, inMs: Math.round(dueAt - at), error });
    else if (kind === "failed") log.error("run failed", { ...fields, error });
    else log.info(`run ${kind}`, fields);
  }
}
