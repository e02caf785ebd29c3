// A running worker: accepts assignments, executes them in its slots, reports, and finally drains.
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import type { WorkerDefinition } from "../domain/worker.ts";
import { partLimit } from "../wire/parts.ts";
import type { DurableRuns } from "./durable/durable-runs.ts";
import { durableRunsOf } from "./durable/live-runs.ts";
import { Intake } from "./intake.ts";
import { LiveHost } from "./live-host.ts";
import { declarationsOf } from "./presence/declarations.ts";
import { Orders } from "./presence/orders.ts";
import { Presence } from "./presence/presence.ts";
import type { RunningWorker, WorkerSettings } from "./running-worker.ts";
import { type Self, selfOf } from "./self.ts";
import type { WorkerParts } from "./worker-parts.ts";

/** Time to store outcomes after the code has ended. */
const storeWithinMs = 5_000;

export class LiveWorker implements RunningWorker {
  readonly #self: Self;
  readonly #shutdownMs: number;
  readonly #host: LiveHost;
  readonly #presence: Presence;
  readonly #orders: Orders;
  readonly #durable: DurableRuns | undefined;

  constructor(definition: WorkerDefinition, parts: WorkerParts, settings: WorkerSettings) {
    const { heartbeatMs = 4_000, cancelGraceMs: graceMs = 5_000, shutdownTimeoutMs = 30_000 } = settings;
    const self = selfOf(definition, parts, settings);
    const tasks = declarationsOf(definition.tasks, partLimit(parts.link.maxPayload), parts.log);
    const presence = new Presence({ self, tasks, heartbeatMs });
    const host = new LiveHost({ self, presence, graceMs });
    const isHeard = () => !self.lifeline.isCutOff();
    const durable = durableRunsOf(definition, self, { graceMs, keep: settings.keptFrames ?? {}, isHeard });
    const intake = new Intake({ ...self, host, durable, leader: presence });
    this.#self = self;
    this.#shutdownMs = shutdownTimeoutMs;
    this.#host = host;
    this.#presence = presence;
    this.#orders = new Orders({ self, presence, intake });
    this.#durable = durable;
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

  /** In the order of dependency: closing begins with the drain, while everything else still works. */
  get open(): Effect.Effect<void, never, Scope.Scope> {
    return Effect.gen({ self: this }, function* () {
      yield* this.#orders.open;
      yield* this.#presence.open;
      yield* Effect.addFinalizer(() => this.#drained);
    });
  }

  /** Quiet → drain, with heartbeats → give back the rest. */
  get #drained(): Effect.Effect<void> {
    const { log, executing, ahead } = this.#self;
    const stored = Effect.promise(() => this.#host.stored());
    return Effect.gen({ self: this }, function* () {
      this.#self.isQuiet = true;
      log.info(`worker ${this.name} is draining`, { running: this.busy });
      ahead.giveBack();
      executing.leave();
      yield* Effect.promise(() => this.#presence.beat());
      yield* Effect.timeoutOption(Effect.andThen(executing.ended, stored), this.#shutdownMs);
      executing.stop();
      yield* Effect.timeoutOption(executing.ended, this.#host.graceMs + 100);
      yield* Effect.timeoutOption(stored, storeWithinMs);
      this.#host.close();
      this.#durable?.parts.frames.clear();
    });
  }
}
