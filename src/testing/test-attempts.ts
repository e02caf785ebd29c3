// The worker of a test: accepts what the scheduler assigns, in its slots, and executes it with the worker's own code.
import type { Log } from "../domain/log.ts";
import type { WorkerTask } from "../domain/worker.ts";
import type { FoldedOutcome } from "../fold/log-events.ts";
import { type Deferred, deferred } from "../runtime/deferred.ts";
import type { Vault } from "../sealing/vault.ts";
import type { AssignmentMessage, AssignmentReply } from "../wire/assignment.ts";
import { decodeOutcomeEntry, encodeOutcomeEntry } from "../wire/outcome-entry.ts";
import type { HeldRun, Stop } from "../wire/worker-messages.ts";
import type { Attempt, AttemptHost } from "../worker/attempt.ts";
import type { Deadlines } from "../worker/deadline.ts";
import type { DurableRuns } from "../worker/durable/durable-runs.ts";
import { Executing } from "../worker/executing.ts";
import { HeldRuns } from "../worker/held-runs.ts";
import { Intake } from "../worker/intake.ts";
import { outcomeOf } from "../worker/outcome.ts";
import { SlotPool } from "../worker/slot-pool.ts";
import type { Verdict } from "../worker/verdict.ts";
import { emptyTranscript, type InlineTranscript, inlineVoice } from "./inline-voice.ts";

/** The only worker of a test. */
export const workerId = "inline";
const options = { worker: workerId, maxPayload: 1_048_576, random: Math.random };
const graceMs = 5_000;

export interface TestAttemptsParts {
  readonly tasks: ReadonlyMap<string, WorkerTask>;
  readonly slots: number;
  readonly deadlines: Deadlines;
  readonly log: Log;
  readonly durable: DurableRuns;
  /** Absent if encryption is off. */
  readonly vault: Vault | undefined;
  readonly now: () => number;
  readonly onOutcome: (outcome: FoldedOutcome) => void;
  /** Called when something has changed that the scheduler should know. */
  readonly onChange: () => void;
}

export class TestAttempts {
  readonly #parts: TestAttemptsParts;
  readonly #held = new HeldRuns();
  readonly #intake: Intake;
  readonly #transcripts = new Map<string, InlineTranscript>();
  /** How to begin the attempts that are accepted and have not begun. */
  #accepted: (() => void)[] = [];
  /** Attempts without a verdict, each with a promise that resolves when it has one. */
  readonly #open = new Map<Attempt, Deferred<void>>();

  constructor(parts: TestAttemptsParts) {
    const { tasks, slots, log, durable } = parts;
    this.#parts = parts;
    this.#intake = new Intake({
      ...{
        tasks,
        slots: new SlotPool(slots),
        held: this.#held,
        host: this.#host(),
        executing: new Executing(log),
        durable,
      },
      leader: { newest: 1, refusal: () => undefined },
    });
  }

  get held(): HeldRun[] {
    return this.#held.list();
  }
  /** Resolves when everything told to stop has its verdict. */
  get stopped(): Promise<unknown> {
    const stopped = [...this.#open].filter(([{ signal }]) => signal.aborted);
    return Promise.all(stopped.map(([, { promise }]) => promise));
  }
  saidBy(key: string): InlineTranscript {
    let transcript = this.#transcripts.get(key);
    if (transcript === undefined) {
      transcript = emptyTranscript();
      this.#transcripts.set(key, transcript);
    }
    return transcript;
  }
  /** Accepts assignments; {@link TestAttempts.begin} starts their code. */
  accept(message: AssignmentMessage): AssignmentReply {
    return this.#intake.accept(message, (execute) => this.#accepted.push(execute));
  }
  /** Begins the accepted attempts; each promise resolves when one has its verdict. */
  begin(): Promise<void>[] {
    const before = new Set(this.#open.keys());
    const begun: Promise<void>[] = [];
    for (const execute of this.#accepted.splice(0)) execute();
    for (const [attempt, { promise }] of this.#open) if (!before.has(attempt)) begun.push(promise);
    return begun;
  }
  stop(stops: readonly Stop[]): void {
    this.#held.stop(stops.map((stop) => ({ seq: 0, at: this.#parts.now(), ...stop })));
  }
  /** Does as if the process had died: its attempts report nothing more, and the next process knows nothing about them. */
  crash(): void {
    for (const attempt of this.#held.all()) attempt.stop({ kind: "fenced", reason: "its process died" });
    this.#parts.durable.parts.frames.clear();
  }

  #host(): AttemptHost {
    const { deadlines, vault, now, onChange } = this.#parts;
    return {
      ...{ worker: workerId, vault, graceMs, deadlines, nowAfter: () => now(), onSlotless: onChange },
      onBegin: (attempt) => this.#open.set(attempt, deferred()),
      onEnd: onChange,
      voiceFor: (attempt) => inlineVoice(attempt, this.saidBy(attempt.assignment.key), now),
      onVerdict: (attempt, verdict) => this.#ended(attempt, verdict),
    };
  }

  #ended(attempt: Attempt, verdict: Verdict): void {
    const { now, vault, onOutcome, onChange } = this.#parts;
    attempt.batch?.left(attempt.runId);
    void attempt.spoken?.end("completed");
    if (verdict.kind === "fenced") this.#held.forget(attempt);
    else {
      const { frame } = outcomeOf(attempt, verdict, now(), { ...options, vault });
      onOutcome(decodeOutcomeEntry(encodeOutcomeEntry("worker", [frame])).outcomes[0]!);
      this.#held.release(attempt);
    }
    this.#open.get(attempt)?.resolve();
    this.#open.delete(attempt);
    onChange();
  }
}
