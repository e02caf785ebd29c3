// What all parts of a worker share: who it is, what it is connected to, what it executes and holds (ADR 64).
import { assertLabels, type WorkerDefinition, type WorkerTask } from "../domain/worker.ts";
import type { NatsLink } from "../nats/link.ts";
import { newIdentity } from "../runtime/worker-identity.ts";
import { roleOf } from "../wire/result-inbox.ts";
import { type HeldRun, protocol, type Register } from "../wire/worker-messages.ts";
import { Ahead } from "./ahead.ts";
import { Executing } from "./executing.ts";
import { HeldRuns } from "./held-runs.ts";
import { tasksAround } from "./middleware.ts";
import { Lifeline } from "./presence/lifeline.ts";
import type { WorkerSettings } from "./running-worker.ts";
import { SlotPool } from "./slot-pool.ts";
import type { WorkerParts } from "./worker-parts.ts";

/** Belongs to one worker, from its start to its end. */
export interface Self extends WorkerParts {
  readonly id: string;
  readonly name: string;
  readonly description: Description;
  /** The tasks as they execute here, with their middleware, by name. */
  readonly tasks: ReadonlyMap<string, WorkerTask>;
  readonly slots: SlotPool;
  readonly held: HeldRuns;
  readonly executing: Executing;
  /** The accepted runs that wait for a slot. */
  readonly ahead: Ahead;
  readonly lifeline: Lifeline;
  /** Whether it accepts nothing more. Written by the drain. */
  isQuiet: boolean;
}

export function selfOf(definition: WorkerDefinition, parts: WorkerParts, settings: WorkerSettings): Self {
  const { heart, threads, link, log } = parts;
  const { name, slots } = definition;
  const description = new Description(definition, link, settings);
  const inThreads = definition.tasks.map((task) => threads?.taskOf(name, task) ?? task);
  const tasks = tasksAround({ ...definition, tasks: inThreads }, settings.middleware);
  const pool = new SlotPool(slots);
  const executing = new Executing(log);
  return {
    ...parts,
    ...{ id: description.id, name, description, isQuiet: false },
    tasks: new Map(tasks.map((task) => [task.name, task])),
    ...{ slots: pool, executing, ahead: new Ahead(pool, executing, tasks) },
    held: new HeldRuns(),
    lifeline: new Lifeline(undefined, () => heart?.beatenAt ?? Number.NEGATIVE_INFINITY),
  };
}

/** What a worker says of itself when it registers. */
export class Description {
  readonly id: string;
  /** Sent only to engines, which prove with it that they are engines. */
  readonly secret: string;
  /** What never changes. */
  readonly #head: Omit<Register, "labels" | "quiet" | "executing" | "tasks">;
  #labels: WorkerDefinition["labels"];

  constructor({ name, slots, labels }: WorkerDefinition, link: NatsLink, settings: WorkerSettings) {
    const { id, secret } = newIdentity(roleOf(link.inboxPrefix));
    this.id = id;
    this.secret = secret;
    const { process = id, runtime = "unknown", version = "unknown" } = settings;
    // `startedAt` is by the server's clock, because it decides which of two processes with the same name is newer.
    this.#head = { v: protocol, id, secret, name, slots, startedAt: link.clock.now(), process, runtime, version };
    this.#labels = labels;
  }

  /** Changes labels; an undefined one is removed. Fails: TypeError */
  label(changes: Readonly<Record<string, string | number | undefined>>): void {
    const merged = Object.entries({ ...this.#labels, ...changes }).filter(([, value]) => value !== undefined);
    this.#labels = assertLabels(Object.fromEntries(merged), `worker "${this.#head.name}"`);
  }

  /** What the worker says of itself now, without its tasks. */
  now(quiet: boolean, executing: readonly HeldRun[]): Omit<Register, "tasks"> {
    return { ...this.#head, labels: this.#labels, quiet, executing };
  }
}
