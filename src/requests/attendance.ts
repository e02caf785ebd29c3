// Attendance: what workers say about themselves. They register, say with each heartbeat what they execute, and leave. Long messages come in
// parts.
import { listed } from "../domain/names.ts";
import type { Leader } from "../leader/leader.ts";
import { knownWorkers } from "../matching/unseen/known-workers.ts";
import { onceATick } from "../runtime/once-a-tick.ts";
import { isSecretOf } from "../runtime/worker-identity.ts";
import { Assembly } from "../wire/parts.ts";
import { assertRegistration } from "../wire/registration.ts";
import type { RequestOf } from "../wire/verbs.ts";
import type { Heartbeat, HeartbeatReply, HeldRun, Register, Registered } from "../wire/worker-messages.ts";
import type { CronChanges } from "./cron-changes.ts";

export class Attendance {
  readonly #leader: Leader;
  readonly #crons: CronChanges;
  readonly #registrations = new Assembly<Register>((parts) => ({
    ...parts[0]!,
    tasks: parts.flatMap(({ tasks }) => tasks),
    executing: executingIn(parts),
  }));
  readonly #heartbeats = new Assembly<Heartbeat>((parts) => ({ ...parts[0]!, executing: executingIn(parts) }));

  constructor(leader: Leader, crons: CronChanges) {
    this.#leader = leader;
    this.#crons = crons;
  }

  register(message: Register): Registered {
    assertSecret(message);
    const whole = this.#registrations.add(message);
    if (whole !== undefined) this.#register(whole);
    return { ...this.#epoch, engine: this.#leader.engine };
  }

  heartbeat(message: Heartbeat): HeartbeatReply {
    assertSecret(message);
    const known = this.#leader.state.workers.get(message.id)?.isRegistered === true;
    const whole = known ? this.#heartbeats.add(message) : undefined;
    if (whole !== undefined) this.#leader.handle({ type: "heartbeat", message: whole });
    return { ...this.#epoch, known };
  }

  leave(message: RequestOf<"leave">): object {
    assertSecret(message);
    const { id } = message;
    this.#registrations.drop(id);
    this.#heartbeats.drop(id);
    this.#leader.handle({ type: "leave", id });
    this.remember();
    return {};
  }

  /** Stores once a tick which workers may be executing something: after a crash of this leader, the next one waits for them. */
  readonly remember = onceATick(() => {
    const { leadership } = this.#leader.state;
    if (leadership !== undefined) this.#leader.bucket.keepWorkers(knownWorkers(leadership.matching));
  });

  #register(message: Register): void {
    const { state, bucket, log } = this.#leader;
    assertRegistration(message);
    const { id, name, slots, tasks } = message;
    const isNew = state.workers.get(id)?.isRegistered !== true;
    this.#leader.handle({ type: "register", message });
    if (isNew)
      log.debug("worker registered", { worker: name, id, slots, tasks: listed(tasks.map((task) => task.name)) });
    this.remember();
    this.#crons.declare(message);
    for (const task of tasks) bucket.kept.keep(`task.${task.name}`, task);
  }

  /** `cancel` is always empty: what a worker must stop is sent to its cancel subject. */
  get #epoch(): Pick<Registered, "epoch" | "cancel" | "clock"> {
    return { epoch: this.#leader.state.epoch, cancel: [], clock: performance.now() };
  }
}

const executingIn = (parts: readonly { readonly executing: readonly HeldRun[] }[]): HeldRun[] =>
  parts.flatMap(({ executing }) => executing);

/** Anybody may know a worker's id; only the worker itself knows its secret. */
function assertSecret({ id, secret = "" }: { readonly id: string; readonly secret?: string }): void {
  if (!isSecretOf(id, secret)) throw new Error(`the secret is not that of worker ${id.slice(0, 100)}`);
}
