// Waits for results, many at once: one inbox, one table. Most come from the log, the others from an engine. Both are best effort, so
// missing ones are requested again: after a reconnect, when a new engine leads, and with growing pauses. No wait depends on one message.
import type { Msg } from "@nats-io/transport-node";
import { ResultNotAwaited, RunCancelled, RunErased, RunFailed, RunNotFound } from "../../domain/errors.ts";
import { isConclusive, isFinal, keyOf } from "../../domain/run.ts";
import type { NatsLink } from "../../nats/link.ts";
import { listen } from "../../nats/listen.ts";
import type { Witness } from "../../nats/publisher.ts";
import type { StoredEntries } from "../../nats/stored-entries.ts";
import type { StreamWatch } from "../../nats/stream-watch.ts";
import { isSealedError, openAttempts, openError, openOutput } from "../../sealing/sealed.ts";
import type { Vault } from "../../sealing/vault.ts";
import { jsonOf } from "../../wire/bytes.ts";
import { decodeOutcomeEntry, type Outcome, type OutcomeEntry } from "../../wire/outcome-entry.ts";
import { newResultInbox, type ResultInbox } from "../../wire/result-inbox.ts";
import type { FinalDetail } from "../../wire/story.ts";
import type { Subjects } from "../../wire/subjects.ts";
import { decodeEnded } from "../../wire/verbs.ts";
import type { LeaderLine } from "../asking/leader-line.ts";
import { type Asked, AskTimes } from "./ask-times.ts";
import { EndedResults } from "./ended-results.ts";
import type { LongWait, LongWaits } from "./long-waits.ts";
import { ResultRequests } from "./result-requests.ts";

interface Waiter {
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A run that somebody of this client waits for. */
interface Wait extends Asked, LongWait {
  readonly key: string;
  readonly waiters: Waiter[];
  /** Unacknowledged creates: until they are acknowledged, an engine may rightly not know the run. */
  creating: number;
  /** Asked for while it was being created. */
  mustAsk: boolean;
  /** The first final outcome in the log is the run's, if it is conclusive. Otherwise the engine says which one counts. */
  believesLog: boolean;
  /** Called with the end of a run, which stands for the acknowledgement of its creation. */
  onSeen: ((seq: number) => void) | undefined;
}

const openBrace = 0x7b;

/** A wait that can be given up by itself, whoever else waits for the same run. */
export interface Awaited {
  readonly output: Promise<unknown>;
  readonly giveUp: (error: Error) => void;
}

/** A wait that began before its run was stored. */
export interface Expected extends Awaited {
  /** The run is stored; `created` false: its first create named another inbox, if any. */
  readonly stored: (created: boolean) => void;
}

export interface ResultsParts {
  readonly link: NatsLink;
  readonly subjects: Subjects;
  readonly line: LeaderLine;
  readonly entries: StoredEntries;
  readonly vault?: Vault | undefined;
  /** Knows whether the log is there. */
  readonly stream?: StreamWatch | undefined;
  /** Tells callers who wait long why. */
  readonly longWaits?: LongWaits | undefined;
}

export class Results implements Witness {
  readonly #inbox: ResultInbox;
  readonly #link: NatsLink;
  readonly #subjects: Subjects;
  readonly #vault: Vault | undefined;
  readonly #stream: StreamWatch | undefined;
  readonly #longWaits: LongWaits | undefined;
  readonly #waits = new Map<string, Wait>();
  readonly #ended: EndedResults;
  readonly #times = new AskTimes<Wait>((due) => {
    this.#longWaits?.look(due);
    this.#requests.ask(due.map(({ key }) => key));
  });
  readonly #requests: ResultRequests;
  #isClosed = false;
  readonly #end: (() => void)[];

  constructor(parts: ResultsParts) {
    const { link, subjects, line, entries, stream, longWaits } = parts;
    this.#link = link;
    this.#inbox = newResultInbox(link.inboxPrefix);
    this.#subjects = subjects;
    this.#vault = parts.vault;
    this.#stream = stream;
    this.#longWaits = longWaits;
    this.#ended = new EndedResults({
      entries,
      isAwaited: (key) => this.#waits.has(key),
      onOutcome: (outcome) => this.#takeStored(outcome),
    });
    const { asked, made, log } = this.#inbox;
    this.#requests = new ResultRequests({
      ...{ link, line, inbox: asked, ended: this.#ended },
      mayAsk: (key) => this.#mayAsk(key),
      onUnknown: (key) => this.#notFound(key),
    });
    this.#end = [
      listen(link, asked, ({ data }) => this.#takeFromEngine(data)),
      listen(link, made, ({ data }) => this.#takeFromEngine(data)),
      listen(link, log, (message) => this.#takeFromLog(message)),
      line.onChange(() => this.#askForAll()),
      stream?.onChange(() => this.#streamChanged()) ?? (() => {}),
    ];
  }

  isListening(): boolean {
    return this.#link.isConnected();
  }

  /** A run that has ended was stored. */
  watch(subject: string, seen: (seq: number) => void): () => void {
    const { task, id } = this.#subjects.parseRun(subject);
    const wait = this.#waits.get(keyOf(task, id));
    if (wait === undefined) return () => {};
    wait.onSeen = seen;
    return () => {
      wait.onSeen = undefined;
    };
  }

  /** For the entry of a run; `isMade`: under an id that the client made. */
  inboxFor(isMade: boolean): string {
    return isMade ? this.#inbox.made : this.#inbox.asked;
  }

  /** Runs that are waited for. */
  get size(): number {
    return this.#waits.size;
  }

  /** Waits for the output of an existing run, which nobody sends unasked. */
  wait(key: string): Awaited {
    const waiting = this.#open(key);
    this.#requests.ask([key]);
    return waiting;
  }

  /**
   * Waits for the output of a run that is about to be created, so that a result faster than the acknowledgement is not missed.
   * A `made` id never belonged to another run, whose late outcome might be in the log.
   */
  expect(key: string, isMade: boolean): Expected {
    const { output, giveUp } = this.#open(key, isMade);
    const wait = this.#waits.get(key);
    if (wait === undefined) return { output, giveUp, stored: () => {} };
    wait.creating += 1;
    const stored = (created: boolean) => {
      wait.creating -= 1;
      if (wait.creating === 0 && (wait.mustAsk || !created)) this.#requests.ask([key]);
    };
    const giveUpCreating = (error: Error) => {
      giveUp(error);
      stored(true);
    };
    return { output, giveUp: giveUpCreating, stored };
  }

  /** Rejects every wait. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#times.close();
    this.#requests.close();
    this.#ended.close();
    for (const end of this.#end) end();
    for (const [key, wait] of [...this.#waits]) this.#settle(wait, (waiter) => waiter.reject(closed(key)));
  }

  /** Nobody will ever send results from a deleted log. */
  get #lost(): Error | undefined {
    return this.#stream?.trouble?.fault === "gone" ? this.#stream.refusal : undefined;
  }

  #streamChanged(): void {
    const lost = this.#lost;
    if (lost === undefined) return;
    for (const wait of [...this.#waits.values()]) this.#settle(wait, (waiter) => waiter.reject(lost));
  }

  #open(key: string, believesLog = false): Awaited {
    const refusal = this.#isClosed ? closed(key) : this.#lost;
    if (refusal !== undefined) return { output: Promise.reject(refusal), giveUp: () => {} };
    let giveUp!: (error: Error) => void;
    const output = new Promise<unknown>((resolve, reject) => {
      const waiter = { resolve, reject };
      this.#add(key, waiter, believesLog);
      giveUp = (error) => this.#giveUp(key, waiter, error);
    });
    return { output, giveUp };
  }

  #add(key: string, waiter: Waiter, believesLog: boolean): void {
    const wait = this.#waits.get(key);
    if (wait !== undefined) {
      wait.waiters.push(waiter);
      return;
    }
    const first: Wait = {
      key,
      waiters: [waiter],
      creating: 0,
      mustAsk: false,
      believesLog,
      onSeen: undefined,
      startedAt: performance.now(),
      isTold: false,
      level: 0,
      dueAt: 0,
    };
    this.#waits.set(key, first);
    this.#times.add(first);
  }

  #giveUp(key: string, waiter: Waiter, error: Error): void {
    const wait = this.#waits.get(key);
    const at = wait?.waiters.indexOf(waiter) ?? -1;
    if (wait !== undefined && at >= 0) wait.waiters.splice(at, 1);
    if (wait?.waiters.length === 0) this.#forget(wait);
    waiter.reject(error);
  }

  /** Anybody may publish to an inbox: anything that is not a result is ignored, and the real one is requested in due course. */
  #takeFromEngine(data: Uint8Array): void {
    if (data[0] === openBrace) this.#takeReferences(data);
    else for (const outcome of readEntry(data)?.outcomes ?? []) this.#takeStored(outcome);
  }

  #takeReferences(data: Uint8Array): void {
    try {
      this.#ended.add(decodeEnded(data).ended);
    } catch {
      return;
    }
    this.#ended.read();
  }

  #takeStored(outcome: Outcome): void {
    const wait = this.#waits.get(outcome.key);
    if (wait !== undefined && (isFinal(outcome.kind) || outcome.kind === "erased")) this.#deliver(wait, outcome);
  }

  /** Outcomes in log order, as stored: all final ones of the runs that named this inbox. */
  #takeFromLog(message: Msg): void {
    const entry = readEntry(message.data);
    for (const outcome of entry?.outcomes ?? []) {
      const wait = this.#waits.get(outcome.key);
      if (wait === undefined || !isFinal(outcome.kind)) continue;
      if (!wait.believesLog) this.#requests.ask([wait.key]);
      else if (isConclusive(outcome.kind, outcome.kind === "cancelled" && this.#isByEngine(message, entry!)))
        this.#deliver(wait, outcome);
      else wait.believesLog = false;
    }
  }

  /** The server adds the place of an entry that it republishes. */
  #isByEngine({ headers }: Msg, { by }: OutcomeEntry): boolean {
    const subject = headers?.get("Nats-Subject");
    if (subject === undefined) return false;
    try {
      return (this.#subjects.parseOutcome(subject).by ?? by) === "engine";
    } catch {
      return false;
    }
  }

  #deliver(wait: Wait, outcome: Outcome): void {
    wait.onSeen?.(outcome.origin);
    try {
      const output = readOutput(outcome, this.#vault);
      this.#settle(wait, (waiter) => waiter.resolve(output));
    } catch (error) {
      this.#settle(wait, (waiter) => waiter.reject(error as Error));
    }
  }

  #settle(wait: Wait, tell: (waiter: Waiter) => void): void {
    this.#forget(wait);
    for (const waiter of wait.waiters) tell(waiter);
    wait.waiters.length = 0; // whoever still lists this wait must not keep its output
  }

  #forget(wait: Wait): void {
    this.#waits.delete(wait.key);
    this.#times.remove(wait);
  }

  /** Start again with short pauses: the engine that was just asked may be only about to lead. */
  #askForAll(): void {
    this.#times.restart(this.#waits.values());
    this.#requests.ask(this.#waits.keys());
  }

  /** A run that is being created is asked for afterwards. */
  #mayAsk(key: string): boolean {
    const wait = this.#waits.get(key);
    if (wait === undefined) return false; // came meanwhile
    wait.mustAsk = wait.creating > 0;
    return !wait.mustAsk;
  }

  #notFound(key: string): void {
    const wait = this.#waits.get(key);
    if (wait !== undefined) this.#settle(wait, (waiter) => waiter.reject(new RunNotFound({ key })));
  }
}

function readEntry(data: Uint8Array): OutcomeEntry | undefined {
  try {
    return decodeOutcomeEntry(data);
  } catch {
    return undefined;
  }
}

/** A promise where a key has to be asked for. Fails: RunFailed, RunCancelled, RunErased, MalformedRecord, DecryptionFailed */
function readOutput(outcome: Outcome, vault: Vault | undefined): unknown {
  const { key } = outcome;
  if (outcome.kind === "completed") return heard(openOutput(vault, key, jsonOf(outcome.output)));
  if (outcome.kind === "erased") throw new RunErased({ key });
  const { error, reason, attempts } = outcome.detail as FinalDetail;
  if (outcome.kind === "cancelled") throw new RunCancelled({ key, reason: reason ?? "no reason given" });
  const failure = { key, error: error ?? { name: "Error", message: "unknown" }, attempts };
  if (vault === undefined && !isSealedError(failure.error)) throw new RunFailed(failure);
  return heard(openFailed(failure, vault));
}

async function openFailed({ key, error, attempts }: Failed, vault: Vault | undefined): Promise<never> {
  const told = { error: await openError(vault, key, error), attempts: await openAttempts(vault, key, attempts) };
  throw new RunFailed({ key, ...told });
}

type Failed = Pick<RunFailed, "key" | "error" | "attempts">;

/** Whoever waited may have given up meanwhile. */
function heard(output: unknown): unknown {
  if (output instanceof Promise) output.catch(() => {});
  return output;
}

const closed = (key: string) => new ResultNotAwaited({ key, reason: "the client was closed" });
