// What engines tell a worker to do: start runs and stop them. A message counts if an engine sent it that leads now, and in time.
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import { answering } from "../../nats/door.ts";
import { type AssignmentMessage, type AssignmentReply, decodeAssignments } from "../../wire/assignment.ts";
import { decodeCancelOnWorker } from "../../wire/worker-messages.ts";
import type { Intake } from "../intake.ts";
import type { Self } from "../self.ts";
import { EngineProofs } from "./engine-proofs.ts";
import type { Presence } from "./presence.ts";

export interface OrdersParts {
  readonly self: Self;
  readonly presence: Presence;
  readonly intake: Intake;
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
    const { secret } = parts.self.description;
    this.#assigns = new EngineProofs(secret, "assign");
    this.#cancels = new EngineProofs(secret, "cancel");
  }

  /** They are taken while the scope is open; cancels for longer than assignments. */
  get open(): Effect.Effect<void, never, Scope.Scope> {
    const { self } = this.#parts;
    const { id, subjects } = self;
    return Effect.gen({ self: this }, function* () {
      yield* answering(self, subjects.worker(id, "assign"), (data) => this.#assigned(data));
      yield* this.#besideEngine;
      yield* answering(self, subjects.worker(id, "cancel"), (data) => this.#cancelled(data));
    });
  }

  /** The reply must be sent before code runs that may block the loop: without it the runs are lost. */
  #assigned(data: Uint8Array): AssignmentReply | Promise<AssignmentReply> {
    const { self, presence } = this.#parts;
    const delivery = decodeAssignments(data);
    const { newest } = presence;
    if (delivery.epoch >= newest && !this.#assigns.admits(delivery)) {
      this.#tellForged("assign");
      return { epoch: newest, refused: delivery.assignments.map((_, i) => i), why: "stale" };
    }
    if (self.lifeline.knows(delivery.epoch)) return this.#accepted(delivery, data.length);
    // The answer to the registration may be right before it.
    return new Promise((resolve) => setImmediate(() => resolve(this.#accepted(delivery, data.length))));
  }

  /** Only an engine elsewhere assigns ahead: one of this process learns at once when slots are free (ADR 12). */
  #accepted(delivery: AssignmentMessage, bytes: number): AssignmentReply {
    const { intake, self } = this.#parts;
    const reply = intake.accept(delivery, behindReply);
    const ahead = self.ahead.credit(bytes / delivery.assignments.length);
    return ahead === 0 ? reply : { ...reply, ahead };
  }

  #cancelled(data: Uint8Array): object {
    const message = decodeCancelOnWorker(data);
    if (this.#cancels.admits(message)) this.#parts.self.held.stop(message.runs);
    else this.#tellForged("cancel");
    return {};
  }

  #tellForged(verb: string): void {
    const now = performance.now();
    if (now - this.#toldForgedAt < tellForgedEveryMs) return;
    this.#toldForgedAt = now;
    const { log, name } = this.#parts.self;
    log.warn("a message to this worker that no engine sent is refused", { worker: name, verb });
  }

  /** An engine of this process reaches the worker without a message. */
  get #besideEngine(): Effect.Effect<unknown, never, Scope.Scope> {
    const { self, presence, intake } = this.#parts;
    const { id, link, neighbours } = self;
    return Effect.acquireRelease(
      Effect.sync(() =>
        neighbours?.add(id, {
          accept: (delivery) => intake.accept(delivery, queueMicrotask),
          onDoubt: () => void presence.beat(),
          isConnected: () => link.isConnected(),
        }),
      ),
      (end) => Effect.sync(() => end?.()),
    );
  }
}
