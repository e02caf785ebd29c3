// Asks the leading engine; while none leads, patiently, up to a limit.
import type { CronInfo } from "../domain/cron.ts";
import { EngineUnreachable } from "../domain/errors.ts";
import type { Pauses, PauseTarget } from "../domain/pauses.ts";
import type { RunInfo } from "../domain/run.ts";
import type { NatsLink } from "../nats/link.ts";
import {
  type CancelReply,
  type CancelRuns,
  type ChangeCron,
  encodeMessage,
  errorOfReply,
  parseJson,
  type QueueInfo,
  type RescheduleReply,
  type RunFilter,
  type RunList,
  type WorkerList,
} from "../protocol/messages.ts";
import type { EngineVerb, Subjects } from "../protocol/subjects.ts";

/** A takeover after a crash lasts up to 7 s. Units: milliseconds */
const patienceMs = 15_000;

export class EngineRequests {
  readonly #link: NatsLink;
  readonly #subjects: Subjects;

  constructor(link: NatsLink, subjects: Subjects) {
    this.#link = link;
    this.#subjects = subjects;
  }

  async get(key: string): Promise<RunInfo | null> {
    return ((await this.#ask("get", { key })) as { run: RunInfo | null }).run;
  }

  list(filter: RunFilter, limit: number, before: number | undefined): Promise<RunList> {
    return this.#ask("list", { filter, limit, ...(before !== undefined && { before }) }) as Promise<RunList>;
  }

  cancel(request: CancelRuns): Promise<CancelReply> {
    return this.#ask("cancel", request) as Promise<CancelReply>;
  }

  pause(target: PauseTarget, paused: boolean): Promise<Pauses> {
    return this.#ask("pause", { ...target, paused }) as Promise<Pauses>;
  }

  changeCron(change: ChangeCron): Promise<CronInfo> {
    return this.#ask("cron", change) as Promise<CronInfo>;
  }

  async crons(): Promise<readonly CronInfo[]> {
    return ((await this.#ask("crons", {})) as { crons: CronInfo[] }).crons;
  }

  /** `delayMs`, where it is given, goes before `dueAt`: this process's clock need not be the engine's. */
  reschedule(runs: readonly string[], dueAt: number, delayMs?: number): Promise<RescheduleReply> {
    return this.#ask("reschedule", {
      runs,
      dueAt,
      ...(delayMs !== undefined && { delayMs }),
    }) as Promise<RescheduleReply>;
  }

  workers(): Promise<WorkerList> {
    return this.#ask("workers", {}) as Promise<WorkerList>;
  }

  async queues(): Promise<readonly QueueInfo[]> {
    return ((await this.#ask("queues", {})) as { queues: QueueInfo[] }).queues;
  }

  async #ask(verb: EngineVerb, request: unknown): Promise<unknown> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const reply = await this.#link.nc
        .request(this.#subjects.engine(verb), encodeMessage(request), { timeout: 5_000 })
        .catch((error: Error) => error);
      if (!(reply instanceof Error)) {
        const answer = parseJson(reply.data, `${verb} reply`);
        const error = errorOfReply(answer);
        if (error === undefined) return answer;
        if (error.name === "TypeError") throw new TypeError(error.message);
        throw new EngineUnreachable({
          namespace: this.#subjects.namespace,
          reason: `${verb} was refused: ${error.message}`,
        });
      }
      if (performance.now() > deadline || this.#link.nc.isClosed()) {
        throw new EngineUnreachable({ namespace: this.#subjects.namespace, reason: reply.message });
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
