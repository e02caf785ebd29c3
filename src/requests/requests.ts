// requests/: what others ask of a leader: checked, answered in parts, and a question changes nothing. Every request is answered, a malformed one
// with its error.
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import { assertName } from "../domain/names.ts";
import { changePauses, type Pauses } from "../domain/pauses.ts";
import { isToken } from "../domain/run-id.ts";
import type { Leader } from "../leader/leader.ts";
import { type ChangePause, type EngineVerb, engineVerbs } from "../wire/verbs.ts";
import { type Answering, answersTo } from "./answers.ts";
import { Attendance } from "./attendance.ts";
import { CronChanges } from "./cron-changes.ts";
import { Eraser } from "./eraser.ts";
import { foldedFirst, refreshed } from "./folded-first.ts";
import { askForResults, findRun, pageOfCrons, pageOfQueues, pageOfRuns, pageOfWorkers } from "./queries.ts";
import { cancel, reschedule } from "./run-changes.ts";
import { sendSignal } from "./send-signal.ts";

export class Requests {
  readonly #leader: Leader;
  readonly #crons: CronChanges;
  readonly #attendance: Attendance;
  readonly #eraser: Eraser;

  constructor(leader: Leader) {
    this.#leader = leader;
    this.#crons = new CronChanges(leader);
    this.#attendance = new Attendance(leader, this.#crons);
    this.#eraser = new Eraser(leader);
  }

  readonly #answers: { readonly [V in EngineVerb]: Answering<V> } = {
    register: (request) => this.#attendance.register(request),
    heartbeat: (request) => this.#attendance.heartbeat(request),
    leave: (request) => this.#attendance.leave(request),

    get: ({ key }) => foldedFirst(this.#leader, [key], () => findRun(this.#leader, key)),
    list: (request) => this.#fresh(request.cursor, () => pageOfRuns(this.#leader, request)),
    queues: ({ after }) => this.#fresh(after, () => pageOfQueues(this.#leader, after)),
    workers: ({ after }) => pageOfWorkers(this.#leader, after),
    crons: ({ after }) => pageOfCrons(this.#leader, after),
    // Live ones are waited for anyway; where a signal to a live one stands, its run is looked at again.
    result: (request) =>
      foldedFirst(this.#leader, this.#notLive(request.keys), () => askForResults(this.#leader, request)),
    signal: (request) =>
      foldedFirst(this.#leader, this.#notLive([request.key]), () => sendSignal(this.#leader, request)),

    cancel: (request) => cancel(this.#leader, request),
    reschedule: (request) => reschedule(this.#leader, request),
    erase: ({ runs }) => this.#eraser.erase(runs),
    pause: (request) => this.#pause(request),
    cron: (request) => this.#crons.change(request),
  };

  /** Reads what is stored beside the log and only requests need. Fails: StoreUnavailable, PermissionDenied */
  load(): Promise<void> {
    return this.#crons.load();
  }

  /** Answers requests while the scope is open. */
  get open(): Effect.Effect<void, never, Scope.Scope> {
    const answer = <V extends EngineVerb>(verb: V) => answersTo<V>(this.#leader, verb, this.#answers[verb]);
    return Effect.forEach(engineVerbs, (verb) => answer(verb), { discard: true });
  }

  /** Called again and again while this engine leads. */
  eraseRemains(): Promise<void> {
    return this.#eraser.eraseRemains();
  }

  rememberWorkers(): void {
    this.#attendance.remember();
  }

  #notLive(keys: readonly string[]): readonly string[] {
    return keys.filter((key) => !this.#leader.state.live.has(key));
  }

  /** A list begins with what is stored by now; its next pages do not wait again. */
  async #fresh<T>(cursor: string | undefined, page: () => T): Promise<T> {
    if (cursor === undefined) await refreshed(this.#leader);
    return page();
  }

  /** Stored before it counts, so that it outlives this engine. */
  async #pause({ task, worker, namespace, paused }: ChangePause): Promise<Pauses> {
    if (task === undefined && worker === undefined && namespace !== true)
      throw new TypeError("a pause request must name task, worker or namespace: true");
    if (task !== undefined) assertName("task", task, "pause");
    if (worker !== undefined && !isToken(worker))
      throw new TypeError("pause: worker must be the name or id of a worker");
    const leader = this.#leader;
    const pauses = changePauses(leader.state.briefing.pauses, { task, worker }, paused, leader.now());
    const stored = await leader.bucket.pauses.put(pauses, leader.holdsLease);
    if (stored === undefined) throw new Error("another engine leads now; try again");
    leader.handle({ type: "pauses", pauses });
    return pauses;
  }
}
