// wire/: what crosses the wire.
// Subjects: every name on the wire is in this file.
import { originOf, originToken } from "../domain/durable.ts";
import { MalformedRecord } from "../domain/errors.ts";
import { assertName, isTaskName } from "../domain/names.ts";
import { keyOf, type RunKey, splitKey } from "../domain/run.ts";
import { decodeRunId, encodeRunId, isToken } from "../domain/run-id.ts";
import type { EngineVerb } from "./verbs.ts";

export type WorkerVerb = "assign" | "cancel" | "ping";

/** Who wrote an outcome. It is in the subject, so that a server can keep workers from writing as engines. */
export type OutcomeAuthor = "worker" | "engine";

/** The parsed subject of an outcome entry. `by` is undefined in format 1, where only the entry itself says who wrote it, and nobody checks that. */
export interface OutcomeName {
  readonly by: OutcomeAuthor | undefined;
  readonly writer: string;
  readonly n: number;
  readonly waiter: string;
}

const bundleToken = "bundle.";
/** Stands for the role of a process that has none. */
const noRole = "-";
const engineWriterPattern = /^e\d+$/;
const isAuthor = (token: string | undefined): token is OutcomeAuthor => token === "worker" || token === "engine";
const workerIdPattern = /^(?:[A-Za-z0-9_]{1,32}-)?[A-Za-z0-9_-]{1,64}$/;
export const isWorkerId = (id: string): boolean => workerIdPattern.test(id) && !id.startsWith("-");
/** The id of a process as two tokens, its role first. */
const tokensOf = (id: string): string => {
  const joint = id.indexOf("-");
  return joint < 0 ? `${noRole}.${id}` : `${id.slice(0, joint)}.${id.slice(joint + 1)}`;
};

/** A run as two tokens, its task first. */
const runTokens = (task: string, id: string): string => `${task}.${encodeRunId(id)}`;
function tokensOfKey(key: string): string {
  const { task, id } = splitKey(key);
  return runTokens(task, id);
}

/** What all names in a namespace begin with. */
class Namespace {
  readonly namespace: string;
  /** The first tokens of every subject. */
  readonly root: string;

  constructor(namespace: string) {
    this.namespace = assertName("namespace", namespace, "namespace");
    this.root = `natchet.${namespace}`;
  }
}

/** The names of one namespace. */
export class Subjects extends Namespace {
  readonly stream: string = `NATCHET_${this.namespace}`;
  readonly logsStream: string = `${this.stream}_LOGS`;
  readonly reserveStream: string = `${this.stream}_RESERVE`;
  readonly journalStream: string = `${this.stream}_JOURNAL`;
  readonly bucket: string = `natchet_${this.namespace}`;
  readonly bucketStream: string = `KV_${this.bucket}`;
  readonly leaseBucket: string = `${this.bucket}_lease`;
  readonly leaseStream: string = `KV_${this.leaseBucket}`;
  /** Prefix of the lease's messages. */
  readonly lease: string = `$KV.${this.leaseBucket}.lead`;
  /** The lease of engines of format 1: a namespace of a newer format stores nothing there, so they never lead again. */
  readonly leaseOfFormat1: string = `$KV.${this.leaseBucket}.leader`;
  readonly #runPrefix: string = `${this.root}.run.`;
  /** All run entries. */
  readonly runs: string = `${this.#runPrefix}>`;
  /** Matches {@link runs} but is never used: a run has two tokens more than the prefix. */
  readonly unusedRun: string = `${this.#runPrefix}none`;
  readonly #outcomePrefix: string = `${this.root}.done.`;
  /** All outcome entries. */
  readonly outcomes: string = `${this.#outcomePrefix}>`;
  /** All outcome entries, but not {@link formatLock}. */
  readonly authoredOutcomes: string = `${this.#outcomePrefix}*.>`;
  /** Belongs to another stream, so an older engine cannot reconfigure the log: nothing is stored there. */
  readonly formatLock: string = `${this.#outcomePrefix}format`;
  /** Outcome entries that the server republishes, with the waiter as fifth wildcard. */
  readonly outcomesForWaiters: string = `${this.#outcomePrefix}*.*.*.*.*`;
  /** The same in format 1, with the waiter as third. */
  readonly outcomesForWaiters1: string = `${this.#outcomePrefix}*.*.*`;
  readonly #signalPrefix: string = `${this.root}.signal.`;
  /** All signals to durable runs. */
  readonly signals: string = `${this.#signalPrefix}>`;
  readonly #transcriptPrefix: string = `${this.root}.log.`;
  /** The output of all attempts. */
  readonly transcripts: string = `${this.#transcriptPrefix}>`;
  readonly #journalPrefix: string = `${this.root}.journal.`;
  /** All journals of durable runs. */
  readonly journals: string = `${this.#journalPrefix}>`;
  /** A new leader announces itself here. */
  readonly epoch: string = `${this.root}.epoch`;
  /** Prefix of the messages of the reserve. */
  readonly reserve: string = `${this.root}.reserve`;
  /** Where the leader announces whether new runs are accepted. */
  readonly admission: string = `${this.root}.admission`;
  /** The task of the last run subject that was parsed: entries that follow one another often have the same, and then share one string. */
  #lastTask = "";
  #lastTaskPrefix = " ";

  run(task: string, id: string): string {
    return this.#runPrefix + runTokens(task, id);
  }

  /** The subject of a bundle has one token more than that of a single run. */
  bundle(task: string, name: string): string {
    return `${this.#runPrefix}${task}.${bundleToken}${name}`;
  }

  /** All run entries of a task. */
  runsOf(task: string): string {
    return `${this.#runPrefix}${task}.>`;
  }

  isRun(subject: string): boolean {
    return subject.startsWith(this.#runPrefix);
  }

  parseRun(subject: string): RunKey {
    return { task: this.#taskOf(subject), id: decodeRunId(subject.slice(this.#lastTaskPrefix.length)) };
  }

  parseBundle(subject: string): { readonly task: string; readonly name: string } {
    const task = this.#taskOf(subject);
    const name = subject.slice(this.#lastTaskPrefix.length + bundleToken.length);
    if (subject.startsWith(bundleToken, this.#lastTaskPrefix.length) && isToken(name)) return { task, name };
    throw new MalformedRecord({ what: "subject", reason: "it does not name a bundle, but the entry is one" });
  }

  #taskOf(subject: string): string {
    if (!subject.startsWith(this.#lastTaskPrefix)) {
      const dot = subject.indexOf(".", this.#runPrefix.length);
      const task = subject.slice(this.#runPrefix.length, dot);
      if (dot < 0 || !isTaskName(task))
        throw new MalformedRecord({ what: "subject", reason: "it does not name a run" });
      this.#lastTask = task;
      this.#lastTaskPrefix = subject.slice(0, dot + 1);
    }
    return this.#lastTask;
  }

  /** `waiter`: the client to which the server passes the entry on; empty = none. */
  outcome(by: OutcomeAuthor, writer: string, n: number, waiter = ""): string {
    const subject = `${this.#outcomePrefix}${by}.${tokensOf(writer)}.${n}`;
    return waiter === "" ? subject : `${subject}.${waiter}`;
  }

  /** Parses the subject of an outcome entry, in either format. Fails: MalformedRecord */
  parseOutcome(subject: string): OutcomeName {
    const tokens = subject.startsWith(this.#outcomePrefix) ? subject.slice(this.#outcomePrefix.length).split(".") : [];
    const [by, role, name] = tokens;
    const isNew = tokens.length === 4 || tokens.length === 5;
    const [number, waiter = ""] = tokens.slice(isNew ? 3 : 1);
    const n = Number(number);
    if (!Number.isSafeInteger(n) || !(isNew ? isAuthor(by) : tokens.length === 2 || tokens.length === 3))
      throw new MalformedRecord({ what: "subject", reason: `${subject} is not an outcome subject` });
    if (isNew) return { by: by as OutcomeAuthor, writer: role === noRole ? name! : `${role}-${name}`, n, waiter };
    return { by: engineWriterPattern.test(by!) ? undefined : "worker", writer: by!, n, waiter };
  }

  /** The outcome subjects of a role, for its permissions. */
  outcomesBy(by: OutcomeAuthor, role: string): readonly string[] {
    const writers = `${this.#outcomePrefix}${by}.${role === "" ? noRole : role}.*`;
    return [`${writers}.*`, `${writers}.*.*`];
  }

  /** The subject of one signal. `token` tells it from others of its name: sent again, it is the same signal. */
  signal(key: string, name: string, token: string): string {
    return `${this.#signalsOf(key)}.${name}.${encodeRunId(token)}`;
  }

  /** All signals to a run, or those of one name. */
  signalsOf(key: string, name?: string): string {
    return name === undefined ? `${this.#signalsOf(key)}.>` : `${this.#signalsOf(key)}.${name}.*`;
  }

  #signalsOf(key: string): string {
    return this.#signalPrefix + tokensOfKey(key);
  }

  isSignal(subject: string): boolean {
    return subject.startsWith(this.#signalPrefix);
  }

  /** Fails: MalformedRecord */
  parseSignal(subject: string): RunKey & { readonly name: string } {
    const [task = "", id = "", name = "", ...rest] = subject.slice(this.#signalPrefix.length).split(".");
    if (!isTaskName(task) || rest.length !== 1)
      throw new MalformedRecord({ what: "subject", reason: "it does not name a signal" });
    return { task, id: decodeRunId(id), name };
  }

  /** The output of a run's attempts; `key` = `<task>/<id>`. */
  transcript(key: string): string {
    return this.#transcriptPrefix + tokensOfKey(key);
  }

  /** The journal of a durable run. The origin is in the name, so a later run with that id finds nothing there. */
  journal(key: string, origin: number): string {
    return `${this.#journalPrefix}${tokensOfKey(key)}.${originToken(origin)}`;
  }

  /** The run a journal belongs to; `origin` as {@link originToken} writes it. */
  parseJournal(subject: string): { readonly key: string; readonly origin: number } {
    const [task = "", id = "", token = ""] = subject.slice(this.#journalPrefix.length).split(".");
    const origin = originOf(token);
    if (!isTaskName(task) || origin === undefined)
      throw new MalformedRecord({ what: "subject", reason: `${subject} is not a journal subject` });
    return { key: keyOf(task, decodeRunId(id)), origin };
  }

  engine(verb: EngineVerb): string {
    return `${this.root}.engine.${verb}`;
  }

  /** Answered by an engine while it holds the lease. */
  leader(engine: string): string {
    return `${this.root}.leader.${engine}`;
  }

  worker(id: string, verb: WorkerVerb): string {
    return `${this.root}.worker.${tokensOf(id)}.${verb}`;
  }

  /** Everything that workers of a role subscribe to, for their permissions. */
  workersOf(role: string): string {
    return `${this.root}.worker.${role === "" ? noRole : role}.*.*`;
  }
}

/** The writer token of an engine's outcome entries. */
export const engineWriter = (epoch: number): string => `e${epoch}`;
