// What a worker says of itself when it registers.
import type { Log } from "../domain/log.ts";
import { jsonSchemaOf } from "../domain/schema.ts";
import { assertLabels, type WorkerDefinition, type WorkerTask } from "../domain/worker.ts";
import type { NatsLink } from "../nats/link.ts";
import { newIdentity } from "../runtime/worker-identity.ts";
import { jsonBytes } from "../wire/bytes.ts";
import { roleOf } from "../wire/result-inbox.ts";
import { type HeldRun, protocol, type Register, type TaskDeclaration } from "../wire/worker-messages.ts";
import type { WorkerSettings } from "./running-worker.ts";

/** Of one worker, from its start to its end. */
export class Description {
  readonly id: string;
  /** Sent only to engines, which prove with it who they are. */
  readonly secret: string;
  readonly name: string;
  /** What does not change. */
  readonly #head: Omit<Register, "labels" | "quiet" | "executing" | "tasks">;
  #labels: WorkerDefinition["labels"];

  constructor({ name, slots, labels }: WorkerDefinition, link: NatsLink, settings: WorkerSettings) {
    const { id, secret } = newIdentity(roleOf(link.inboxPrefix));
    this.id = id;
    this.secret = secret;
    this.name = name;
    const { process = id, runtime = "unknown", version = "unknown" } = settings;
    // By the server's clock: it decides which of two processes with one name is newer.
    this.#head = { v: protocol, id, secret, name, slots, startedAt: link.clock.now(), process, runtime, version };
    this.#labels = labels;
  }

  /** Fails: TypeError */
  label(changes: Readonly<Record<string, string | number | undefined>>): void {
    const merged = Object.entries({ ...this.#labels, ...changes }).filter(([, value]) => value !== undefined);
    this.#labels = assertLabels(Object.fromEntries(merged), `worker "${this.name}"`);
  }

  /** As it is now, besides its tasks. */
  now(quiet: boolean, executing: readonly HeldRun[]): Omit<Register, "tasks"> {
    return { ...this.#head, labels: this.#labels, quiet, executing };
  }
}

/**
 * Derived once: a JSON Schema takes most of a millisecond, and heartbeats come all the time.
 *
 * `limit`: bytes of a declaration; schemas that do not fit are left out.
 */
export function declarationsOf(tasks: readonly WorkerTask[], limit: number, log: Log): readonly TaskDeclaration[] {
  return tasks.map((task) => {
    const whole = declarationOf(task);
    if (jsonBytes(whole).length <= limit) return whole;
    log.warn("the schemas of a task are too large to be listed; its input is still validated", { task: task.name });
    return { ...whole, inputSchema: null, outputSchema: null };
  });
}

const declarationOf = (task: WorkerTask): TaskDeclaration => ({
  name: task.name,
  timeoutMs: task.timeoutMs,
  scheduleTimeoutMs: task.scheduleTimeoutMs,
  priority: task.priority,
  retries: task.retry.limit,
  inputSchema: jsonSchemaOf(task.input),
  outputSchema: jsonSchemaOf(task.output),
  ...(task.policies !== undefined && { policies: task.policies }),
  ...(task.crons !== undefined && { crons: task.crons }),
  ...(task.onFailure !== undefined && { onFailure: task.onFailure }),
  ...(task.durable !== undefined && { durable: { ...task.durable, code: task.code ?? "by hand" } }),
});
