// A running worker: accepts assignments, executes them in its slots, reports, and finally drains.
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import type { WorkerDefinition } from "../domain/worker.ts";
import { partLimit } from "../wire/parts.ts";
import { drained } from "./drain.ts";
import { durableRunsOf } from "./durable/live-runs.ts";
import { Intake } from "./intake.ts";
import { LiveHost } from "./live-host.ts";
import { declarationsOf } from "./presence/declarations.ts";
import { Orders } from "./presence/orders.ts";
import { Presence } from "./presence/presence.ts";
import type { RunningWorker, WorkerSettings } from "./running-worker.ts";
import { type Self, selfOf } from "./self.ts";
import type { WorkerParts } from "./worker-parts.ts";

export class LiveWorker implements RunningWorker {
  readonly #self: Self;
  readonly #presence: Presence;
  /** Opens the worker in the order of dependency. Closing begins with the drain, while everything else still works. */
  readonly open: Effect.Effect<void, never, Scope.Scope>;

  constructor(definition: WorkerDefinition, parts: WorkerParts, settings: WorkerSettings) {
    const { heartbeatMs = 4_000, cancelGraceMs: graceMs = 5_000, shutdownTimeoutMs = 30_000 } = settings;
    const self = selfOf(definition, parts, settings);
    const tasks = declarationsOf(definition.tasks, partLimit(parts.link.maxPayload), parts.log);
    const presence = new Presence({ self, tasks, heartbeatMs });
    const host = new LiveHost({ self, presence, graceMs });
    const durable = durableRunsOf(definition, self, graceMs, settings.keptFrames);
    const intake = new Intake({ ...self, host, durable, leader: presence });
    const orders = new Orders({ self, presence, intake });
    this.#self = self;
    this.#presence = presence;
    this.open = Effect.gen(function* () {
      yield* orders.open;
      yield* presence.open;
      yield* Effect.addFinalizer(() => Effect.sync(() => durable?.parts.frames.clear()));
      yield* Effect.addFinalizer(() => drained(self, host, presence, shutdownTimeoutMs));
    });
  }

  get id(): string {
    return this.#self.id;
  }
  get name(): string {
    return this.#self.name;
  }
  get registered(): Promise<void> {
    return this.#presence.registered;
  }
  get busy(): number {
    return this.#self.executing.size - this.#self.ahead.size;
  }
  get slots(): number {
    return this.#self.slots.size;
  }
  get held(): number {
    return this.#self.held.size;
  }
  get obstacle(): string | undefined {
    if (this.#self.isQuiet) return "draining";
    return this.#self.link.isConnected() ? this.#presence.obstacle : "not connected to NATS";
  }

  async label(labels: Readonly<Record<string, string | number | undefined>>): Promise<void> {
    this.#self.description.label(labels);
    await this.#presence.announce();
  }
}
