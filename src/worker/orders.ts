// What engines tell a worker to do: start runs and stop them. A message counts if an engine sent it that leads now, and in time.
import { Effect, type Scope } from "effect";
import { answering } from "../nats/door.ts";
import { type AssignmentMessage, type AssignmentReply, decodeAssignments } from "../wire/assignment.ts";
import { decodeCancelOnWorker } from "../wire/worker-messages.ts";
import type { Description } from "./description.ts";
import { EngineProofs } from "./engine-proofs.ts";
import type { HeldRuns } from "./held-runs.ts";
import type { Intake } from "./intake.ts";
import type { Lifeline } from "./lifeline.ts";
import type { Presence } from "./presence.ts";
import type { WorkerParts } from "./worker-parts.ts";

export interface OrdersParts extends Pick<WorkerParts, "link" | "subjects" | "log" | "neighbours"> {
  readonly self: Pick<Description, "id" | "secret" | "name">;
  readonly lifeline: Lifeline;
  readonly presence: Pick<Presence, "newest" | "beat">;
  readonly intake: Pick<Intake, "accept">;
  readonly held: Pick<HeldRuns, "stop">;
  readonly isQuiet: () => boolean;
}

const tellForgedEveryMs = 10_000;
/** A warm run only appends at first: its record goes out together with the reply. */
const behindReply = (execute: () => void, isWarm: boolean): void =>
  isWarm ? queueMicrotask(execute) : void setImmediate(execute);

export class Orders {
  readonly #parts: OrdersParts;
  readonly #assigns: EngineProofs;
  readonly #cancels: EngineProofs;
  #toldForgedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: OrdersParts) {
    this.#parts = parts;
    this.#assigns = new EngineProofs(parts.self.secret, "assign");
    this.#cancels = new EngineProofs(parts.self.secret, "cancel");
  }

  /** They are taken while the scope is open; cancels for longer than assignments. */
  get open(): Effect.Effect<void, never, Scope.Scope> {
    const { subjects, self } = this.#parts;
    return Effect.gen({ self: this }, function* () {
      yield* answering(this.#parts, subjects.worker(self.id, "assign"), (data) => this.#assigned(data));
      yield* this.#besideEngine;
      yield* answering(this.#parts, subjects.worker(self.id, "cancel"), (data) => this.#cancelled(data));
    });
  }

  /** Why nothing of a message is taken. */
  refusal({ epoch, sentAt }: AssignmentMessage): AssignmentReply["why"] {
    const { lifeline, presence, isQuiet } = this.#parts;
    // A message of this process, or of an engine that does not tell its clock yet, has no time.
    const isLate = sentAt !== undefined && lifeline.isLate(epoch, sentAt);
    if (epoch >= presence.newest && !isLate) return isQuiet() ? "quiet" : undefined;
    void presence.beat(); // until the engine hears this, it assigns nothing to this worker
    return "stale";
  }

  /** The reply must be sent before code runs that may block the loop: without it the runs are lost. */
  #assigned(data: Uint8Array): AssignmentReply | Promise<AssignmentReply> {
    const { lifeline, presence, intake } = this.#parts;
    const delivery = decodeAssignments(data);
    const { newest } = presence;
    if (delivery.epoch >= newest && !this.#assigns.admits(delivery)) {
      this.#tellForged("assign");
      return { epoch: newest, refused: delivery.assignments.map((_, i) => i), why: "stale" };
    }
    if (lifeline.knows(delivery.epoch)) return intake.accept(delivery, behindReply);
    // The answer to the registration may be right before it.
    return new Promise((resolve) => setImmediate(() => resolve(intake.accept(delivery, behindReply))));
  }

  #cancelled(data: Uint8Array): object {
    const message = decodeCancelOnWorker(data);
    if (this.#cancels.admits(message)) this.#parts.held.stop(message.runs);
    else this.#tellForged("cancel");
    return {};
  }

  #tellForged(verb: string): void {
    const now = performance.now();
    if (now - this.#toldForgedAt < tellForgedEveryMs) return;
    this.#toldForgedAt = now;
    const { log, self } = this.#parts;
    log.warn("a message to this worker that no engine sent is refused", { worker: self.name, verb });
  }

  /** An engine of this process reaches the worker without a message. */
  get #besideEngine(): Effect.Effect<unknown, never, Scope.Scope> {
    const { self, link, neighbours, presence, intake } = this.#parts;
    return Effect.acquireRelease(
      Effect.sync(() =>
        neighbours?.add(self.id, {
          accept: (delivery) => intake.accept(delivery, queueMicrotask),
          onDoubt: () => void presence.beat(),
          isConnected: () => link.isConnected(),
        }),
      ),
      (end) => Effect.sync(() => end?.()),
    );
  }
}
