// Answers a client as an engine would, with outcomes that the test decides. It hears the runs on their subjects, and looks those up in the log,
// which is real, that were stored while its own connection was away.
import type { NatsConnection, Subscription } from "@nats-io/transport-node";
import { keyOf, splitKey } from "../../../src/domain/run.ts";
import { bundleOfId } from "../../../src/domain/run-id.ts";
import { isBundle, runsOfBundle } from "../../../src/wire/bundle-entry.ts";
import { jsonBytes, jsonOf, noBytes } from "../../../src/wire/bytes.ts";
import { encodeMessage } from "../../../src/wire/messages.ts";
import { encodeOutcomeEntry, encodeOutcomeFrame } from "../../../src/wire/outcome-entry.ts";
import { decodeRunEntry, type RunEntry } from "../../../src/wire/run-entry.ts";
import type { FinalDetail } from "../../../src/wire/story.ts";
import type { Subjects } from "../../../src/wire/subjects.ts";
import type { AskResults, CancelRuns, GetRun } from "../../../src/wire/verbs.ts";

export interface Ending {
  readonly kind: "completed" | "failed" | "cancelled";
  readonly output?: unknown;
  readonly detail?: Partial<FinalDetail>;
}
/** What becomes of a run; undefined: nothing yet. */
export type Decide = (task: string, input: any, id: string) => Ending | undefined;

export class FakeEngine {
  /** Entries of runs, the first of each key. */
  readonly runs = new Map<string, RunEntry>();
  /** Requests for results, as they came. */
  readonly asked: AskResults[] = [];
  readonly cancelled: CancelRuns[] = [];
  /** What is asked next is heard and not answered, or answered so, instead of what the engine would say. */
  readonly instead: ("nothing" | { readonly name: string; readonly message: string })[] = [];
  /** Whether results are sent to the inbox that a run names. */
  forwards = true;
  readonly #frames = new Map<string, Uint8Array>();
  readonly #waiters = new Map<string, Set<string>>();
  readonly #nc: NatsConnection;
  readonly #subjects: Subjects;
  readonly #decide: Decide;
  #requests: Subscription[] = [];

  constructor(nc: NatsConnection, subjects: Subjects, decide: Decide) {
    this.#nc = nc;
    this.#subjects = subjects;
    this.#decide = decide;
    nc.subscribe(subjects.runs, {
      callback: (_, message) => this.#hear(message.subject, message.data.slice()),
    });
  }

  /** Begins to answer requests. */
  lead(): void {
    this.#answer("result", async (ask: AskResults) => {
      this.asked.push(ask);
      for (const key of ask.keys) if (!this.runs.has(key)) await this.#lookUp(key);
      for (const key of ask.keys) this.#wait(key, ask.inbox);
      return { unknown: ask.keys.filter((key) => !this.runs.has(key)) };
    });
    this.#answer("get", ({ key }: GetRun) => ({ run: this.runs.has(key) ? { state: "queued", metadata: {} } : null }));
    this.#answer("list", (request: unknown) => ({ runs: [], total: 0, request }));
    this.#answer("cancel", (request: CancelRuns) => {
      this.cancelled.push(request);
      const keys = request.runs ?? [...this.runs.keys()];
      return { cancelled: keys, unknown: keys.filter((key) => !this.runs.has(key)), finished: [] };
    });
    this.#answer("queues", () => ({ queues: [{ task: "a", queued: 1 }] }));
    this.#answer("workers", () => ({ workers: [{ id: "w1" }], epoch: 1, engine: "e" }));
  }

  resign(): void {
    for (const subscription of this.#requests) subscription.unsubscribe();
    this.#requests = [];
  }

  announce(epoch: number): void {
    this.#nc.publish(this.#subjects.epoch, encodeMessage({ epoch, engine: "e" }));
  }

  finish(key: string, { kind, output, detail }: Ending): void {
    const story: FinalDetail = { createdAt: 1, priority: 1, attempts: [], ...detail };
    const frame = encodeOutcomeFrame({
      ...{ kind, key, turn: 1, attempt: 1, origin: 1, at: 2, dueAt: 0 },
      ...{ detail: jsonBytes(story), input: noBytes, output: jsonBytes(output) },
    });
    this.#frames.set(key, frame);
    for (const inbox of this.#waiters.get(key) ?? []) this.#forward(inbox, frame);
  }

  send(inbox: string, bytes: Uint8Array): void {
    this.#nc.publish(inbox, bytes);
  }

  #hear(subject: string, data: Uint8Array): void {
    const entry = decodeRunEntry(data);
    if (isBundle(entry)) {
      const { task } = this.#subjects.parseBundle(subject);
      for (const run of runsOfBundle(entry)) this.#create(task, run.id, run.entry);
    } else {
      const { task, id } = this.#subjects.parseRun(subject);
      this.#create(task, id, entry);
    }
  }

  async #lookUp(key: string): Promise<void> {
    const { task, id } = splitKey(key);
    const bundle = bundleOfId(id);
    const subjects = [
      this.#subjects.run(task, id),
      ...(bundle === undefined ? [] : [this.#subjects.bundle(task, bundle)]),
    ];
    for (const last_by_subj of subjects) {
      const asked = this.#nc.request(
        `$JS.API.STREAM.MSG.GET.${this.#subjects.stream}`,
        JSON.stringify({ last_by_subj }),
      );
      const { message } = ((await asked.catch(() => undefined))?.json() ?? {}) as {
        message?: { readonly data: string };
      };
      if (message !== undefined) return this.#hear(last_by_subj, Buffer.from(message.data, "base64"));
    }
  }

  #create(task: string, id: string, entry: RunEntry): void {
    const key = keyOf(task, id);
    if (this.runs.has(key)) return;
    this.runs.set(key, entry);
    if (entry.inbox !== "" && this.forwards) this.#wait(key, entry.inbox);
    const ending = this.#decide(task, jsonOf(entry.input), id);
    if (ending !== undefined) this.finish(key, ending);
  }

  #wait(key: string, inbox: string): void {
    const frame = this.#frames.get(key);
    if (frame !== undefined) this.#forward(inbox, frame);
    else this.#waiters.set(key, (this.#waiters.get(key) ?? new Set()).add(inbox));
  }

  #forward(inbox: string, frame: Uint8Array): void {
    this.send(inbox, encodeOutcomeEntry("engine", [frame]));
  }

  #answer(verb: Parameters<Subjects["engine"]>[0], reply: (request: any) => unknown): void {
    this.#requests.push(
      this.#nc.subscribe(this.#subjects.engine(verb), {
        callback: (_, message) => {
          const instead = this.instead.shift();
          if (instead === undefined)
            void Promise.resolve(reply(jsonOf(message.data)))
              .then((answer) => message.respond(encodeMessage(answer)))
              .catch(() => {}); // the test has ended
          else if (instead !== "nothing") message.respond(encodeMessage({ error: instead }));
        },
      }),
    );
  }
}
