// client/results/: who waits for which result, and who asks for it again.
// The results of all runs that callers wait for come to one inbox: most from the log, the others from an engine. Both are best effort, so missing
// ones are asked for: after a reconnect, when another engine leads, and with growing pauses. No wait depends on a single message.
import type { Msg } from "@nats-io/transport-node";
import { ResultNotAwaited } from "../../domain/errors.ts";
import { isConclusive, isFinal, keyOf } from "../../domain/run.ts";
import type { NatsLink } from "../../nats/link.ts";
import { listen } from "../../nats/listen.ts";
import type { Witness } from "../../nats/publisher.ts";
import type { StoredEntries } from "../../nats/stored-entries.ts";
import type { StreamWatch } from "../../nats/stream-watch.ts";
import type { Vault } from "../../sealing/vault.ts";
import { decodeOutcomeEntry, type Outcome, type OutcomeEntry } from "../../wire/outcome-entry.ts";
import { newResultInbox, type ResultInbox } from "../../wire/result-inbox.ts";
import type { Subjects } from "../../wire/subjects.ts";
import { decodeEnded } from "../../wire/verbs.ts";
import type { LeaderLine } from "../asking/leader-line.ts";
import { AskTimes } from "./ask-times.ts";
import { EndedResults } from "./ended-results.ts";
import type { LongWaits } from "./long-waits.ts";
import { ResultRequests } from "./result-requests.ts";
import { outputOf } from "./run-output.ts";
import { type Awaited, type AwaitedRun, Waits } from "./waits.ts";

/** A wait that began before its run was stored. */
export interface Expected extends Awaited {
  /** To be called when the run is stored. If it was not `created` now, it existed, and its entry names another inbox, if any. */
  readonly stored: (created: boolean) => void;
}

export interface ResultsParts {
  readonly link: NatsLink;
  readonly subjects: Subjects;
  readonly line: LeaderLine;
  readonly entries: StoredEntries;
  readonly vault?: Vault | undefined;
  /** Knows whether the log still exists. */
  readonly stream?: StreamWatch | undefined;
  /** Tells callers who wait long why. */
  readonly longWaits: LongWaits;
}

/** How often this looks who has waited for long. Units: milliseconds */
const tickMs = 1_000;
const openBrace = 0x7b;

export class Results implements Witness {
  readonly #parts: ResultsParts;
  readonly #inbox: ResultInbox;
  readonly #times = new AskTimes<AwaitedRun>();
  readonly #waits = new Waits({
    onBegun: (wait) => this.#times.add(wait, wait.startedAt),
    onOver: (wait) => this.#times.remove(wait),
  });
  readonly #ended: EndedResults;
  readonly #requests: ResultRequests;
  #isClosed = false;
  readonly #end: (() => void)[];

  constructor(parts: ResultsParts) {
    const { link, line, entries, stream } = parts;
    this.#parts = parts;
    this.#inbox = newResultInbox(link.inboxPrefix);
    const { asked, made, log } = this.#inbox;
    const waits = this.#waits;
    this.#ended = new EndedResults({ entries, waits, onOutcome: (outcome) => this.#takeStored(outcome) });
    this.#requests = new ResultRequests({ line, inbox: asked, ended: this.#ended, waits });
    const tick = setInterval(() => this.#tick(performance.now()), tickMs);
    tick.unref?.();
    this.#end = [
      listen(link, asked, ({ data }) => this.#takeFromEngine(data)),
      listen(link, made, ({ data }) => this.#takeFromEngine(data)),
      listen(link, log, (message) => this.#takeFromLog(message)),
      line.onChange(() => this.#askForAll()),
      stream?.onChange(() => this.#streamChanged()) ?? (() => {}),
      () => clearInterval(tick),
    ];
  }

  isListening(): boolean {
    return this.#parts.link.isConnected();
  }

  /** As a witness: a run whose end is heard was stored. */
  watch(subject: string, seen: (seq: number) => void): () => void {
    const { task, id } = this.#parts.subjects.parseRun(subject);
    const wait = this.#waits.get(keyOf(task, id));
    if (wait === undefined) return () => {};
    wait.onSeen = seen;
    return () => {
      wait.onSeen = undefined;
    };
  }

  /** The inbox that a run entry names. `isMade`: the client has made the run's id. */
  inboxFor(isMade: boolean): string {
    return isMade ? this.#inbox.made : this.#inbox.asked;
  }

  /** Waits for the output of an existing run. Nobody sends that unasked. */
  wait(key: string): Awaited {
    const refusal = this.#refusal(key);
    if (refusal !== undefined) return refused(refusal);
    const awaited = this.#waits.open(key, false);
    this.#requests.ask([key]);
    return awaited;
  }

  /**
   * Waits for the output of a run that is about to be created, so that a result which is faster than the acknowledgement is not missed.
   * `isMade`: the client has made the id, so no outcome in the log can be that of an earlier run.
   */
  expect(key: string, isMade: boolean): Expected {
    const refusal = this.#refusal(key);
    if (refusal !== undefined) return { ...refused(refusal), stored: () => {} };
    const { wait, output, giveUp } = this.#waits.open(key, isMade);
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
    for (const end of this.#end) end();
    this.#waits.rejectAll(({ key }) => closed(key));
  }

  #refusal(key: string): Error | undefined {
    return this.#isClosed ? closed(key) : this.#lost;
  }

  /** Set if the log was deleted: then nobody will ever send results. */
  get #lost(): Error | undefined {
    const { stream } = this.#parts;
    return stream?.trouble?.fault === "gone" ? stream.refusal : undefined;
  }

  #streamChanged(): void {
    const lost = this.#lost;
    if (lost !== undefined) this.#waits.rejectAll(() => lost);
  }

  /** Anybody may publish to an inbox: what is not a result is ignored, and the real one is asked for in due course. */
  #takeFromEngine(data: Uint8Array): void {
    if (data[0] !== openBrace) for (const outcome of readEntry(data)?.outcomes ?? []) this.#takeStored(outcome);
    else {
      this.#ended.add(readable(() => decodeEnded(data).ended) ?? []);
      this.#ended.read();
    }
  }

  #takeStored(outcome: Outcome): void {
    const wait = this.#waits.get(outcome.key);
    if (wait !== undefined && (isFinal(outcome.kind) || outcome.kind === "erased")) this.#deliver(wait, outcome);
  }

  /** An outcome entry, passed on by the server: in the order of the log, this inbox hears all final outcomes of the runs that name it. */
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

  /** Whether an engine wrote the entry. The server adds the subject of an entry that it passes on. */
  #isByEngine({ headers }: Msg, { by }: OutcomeEntry): boolean {
    const subject = headers?.get("Nats-Subject");
    const place = subject === undefined ? undefined : readable(() => this.#parts.subjects.parseOutcome(subject));
    return place !== undefined && (place.by ?? by) === "engine";
  }

  #deliver(wait: AwaitedRun, outcome: Outcome): void {
    wait.onSeen?.(outcome.origin);
    try {
      this.#waits.resolve(wait, outputOf(outcome, this.#parts.vault));
    } catch (error) {
      this.#waits.reject(wait, error as Error);
    }
  }

  #tick(now: number): void {
    const { longWaits } = this.#parts;
    longWaits.lookAtAppends(now);
    const due = this.#times.takeDue(now);
    if (due.length === 0) return;
    longWaits.look(due);
    this.#requests.ask(due.map(({ key }) => key));
  }

  /** Asks for everything now, and starts over with short pauses: the engine that is asked may be only about to lead. */
  #askForAll(): void {
    this.#times.restart(this.#waits.all(), performance.now());
    this.#requests.ask(Array.from(this.#waits.all(), ({ key }) => key));
  }
}

const readEntry = (data: Uint8Array): OutcomeEntry | undefined => readable(() => decodeOutcomeEntry(data));

/** What was read; undefined if it is malformed. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

const refused = (error: Error): Awaited => ({ output: Promise.reject(error), giveUp: () => {} });
const closed = (key: string) => new ResultNotAwaited({ key, reason: "the client was closed" });
