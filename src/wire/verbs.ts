// Verbs: what an engine can be asked, and what it answers.
import * as Schema from "effect/Schema";
import type { CronRule as CronDeclaration, CronInfo } from "../domain/cron.ts";
import type { CancelReply, QueueInfo, RunFilter, RunList, WorkerInfo } from "../domain/listing.ts";
import type { Pauses } from "../domain/pauses.ts";
import { type RunInfo, waitingReasons } from "../domain/run.ts";
import { Count, decoder, StringMap, Text, Time, Whole } from "./messages.ts";
import { readFilter } from "./run-filter.ts";
import {
  CronRule,
  decodeHeartbeat,
  decodeLeave,
  decodeRegister,
  type HeartbeatReply,
  type Registered,
} from "./worker-messages.ts";

const States = Schema.Literals([
  ...(["scheduled", "queued", "running", "retrying", "waiting", "completed", "failed", "cancelled"] as const),
]);
const Filter = Schema.Struct({
  task: Schema.optionalKey(Schema.Union([Schema.String, Schema.Array(Schema.String)])),
  state: Schema.optionalKey(Schema.Array(States)),
  metadata: Schema.optionalKey(StringMap),
  waitingFor: Schema.optionalKey(Schema.Literals(waitingReasons)),
  ids: Schema.optionalKey(Schema.Array(Schema.String)),
  reason: Schema.optionalKey(Schema.String),
});
const CancelRuns = Schema.Struct({
  /** At once, without letting a durable run clean up. */
  kill: Schema.optionalKey(Schema.Boolean),
  runs: Schema.optionalKey(Schema.Array(Schema.String)),
  filter: Schema.optionalKey(Filter),
  reason: Text,
  /** Where the next page begins: `next` of the previous reply. */
  cursor: Schema.optionalKey(Text),
});
const SendSignal = Schema.Struct({
  key: Text,
  name: Text.check(Schema.isPattern(/^[A-Za-z0-9_-]{1,64}$/)),
  token: Text.check(Schema.isMinLength(1), Schema.isMaxLength(128)),
  data: Schema.optionalKey(Schema.Unknown),
});
const AskResults = Schema.Struct({ keys: Schema.Array(Schema.String), inbox: Text });
/** Where the final outcome of a run stands: the sequence of its entry, and its index in that. */
const EndedRun = Schema.Struct({ key: Text, seq: Count, index: Count });
const Ended = Schema.Struct({ ended: Schema.Array(EndedRun) });
const EraseRuns = Schema.Struct({ runs: Schema.Array(Schema.String) });
const GetRun = Schema.Struct({ key: Text });
/** `delayMs` counts from when the engine receives the request; `dueAt` is then for older engines, which do not know delays. */
const Reschedule = Schema.Struct({
  runs: Schema.Array(Schema.String),
  dueAt: Time,
  delayMs: Schema.optionalKey(Time),
});
const ChangePause = Schema.Struct({
  task: Schema.optionalKey(Schema.String),
  worker: Schema.optionalKey(Schema.String),
  /** Said explicitly: a request that has lost a field must not have the largest effect. */
  namespace: Schema.optionalKey(Schema.Boolean),
  paused: Schema.Boolean,
});
const ChangeCron = Schema.Union([
  Schema.Struct({ verb: Schema.Literal("set"), rule: CronRule, task: Text }),
  Schema.Struct({ verb: Schema.Literals(["pause", "resume", "delete"]), name: Text }),
]);
const ListRuns = Schema.Struct({
  filter: Filter,
  limit: Whole,
  before: Schema.optionalKey(Schema.Finite),
  cursor: Schema.optionalKey(Schema.String),
  /** Include where the outcomes of failed and cancelled runs are. */
  places: Schema.optionalKey(Schema.Boolean),
});
const NextPage = Schema.Struct({ after: Schema.optionalKey(Schema.String) });

// Types that users see are written out: JSR does not infer published types.
export interface CancelRuns {
  readonly runs?: readonly string[];
  readonly filter?: RunFilter;
  readonly reason: string;
  /** At once, without letting a durable run clean up. */
  readonly kill?: boolean;
  /** Where the next page begins: `next` of the previous reply. */
  readonly cursor?: string;
}
export interface SendSignal {
  readonly key: string;
  readonly name: string;
  /** The same for one signal, however often it is sent. */
  readonly token: string;
  readonly data?: unknown;
}
/** Where the signal stands in the log, or why its run does not take it. */
export type SignalReply = { readonly seq: number } | { readonly refused: "unknown" | "finished" | "full" };
export type AskResults = typeof AskResults.Type;
export interface EndedRun {
  readonly key: string;
  readonly seq: number;
  readonly index: number;
}
export interface AskResultsReply {
  readonly unknown: readonly string[];
  readonly ended?: readonly EndedRun[];
}
/** Keys of runs: nothing is left of `erased` ones; `live` ones have not ended, or somebody still waits for their result. */
export interface EraseReply {
  readonly erased: readonly string[];
  readonly live: readonly string[];
  readonly unknown: readonly string[];
}
export type GetRun = typeof GetRun.Type;
export type Reschedule = typeof Reschedule.Type;
/** Keys of runs by what happened to them; running ones are left alone. */
export interface RescheduleReply {
  readonly rescheduled: readonly string[];
  readonly running: readonly string[];
  readonly finished: readonly string[];
  readonly unknown: readonly string[];
}
export type ChangePause = typeof ChangePause.Type;
export type ChangeCron =
  | { readonly verb: "set"; readonly rule: CronDeclaration; readonly task: string }
  | { readonly verb: "pause" | "resume" | "delete"; readonly name: string };
export interface ListRuns {
  readonly filter: RunFilter;
  readonly limit: number;
  readonly before?: number;
  readonly cursor?: string;
  /** Include where the outcomes of failed and cancelled runs are. */
  readonly places?: boolean;
}
/** A run as an engine knows it, and where the log has the rest: the entry of a live run, the outcome of a finished one. */
export interface FoundRun {
  readonly run: RunInfo | null;
  readonly at?: { readonly entrySeq: number } | { readonly outcomeSeq: number; readonly index: number };
}
/** A page of a list, with the places of the outcomes that say why a run failed or was cancelled, by row. */
export interface RunListPage extends RunList {
  readonly places?: readonly { readonly row: number; readonly seq: number; readonly index: number }[];
}
/** One page; a worker with many tasks is listed in several consecutive parts. */
export interface WorkerList {
  readonly workers: readonly WorkerInfo[];
  readonly next?: string;
  readonly epoch: number;
  readonly engine: string;
}
export interface QueueList {
  readonly queues: readonly QueueInfo[];
  readonly next?: string;
}
export interface CronList {
  readonly crons: readonly CronInfo[];
  readonly next?: string;
}

/** What clients ask, by verb, and the answer if it is not an error. */
export interface Replies {
  readonly cancel: CancelReply;
  readonly pause: Pauses;
  readonly cron: CronInfo;
  readonly crons: CronList;
  readonly reschedule: RescheduleReply;
  readonly result: AskResultsReply;
  readonly get: FoundRun;
  readonly list: RunListPage;
  readonly workers: WorkerList;
  readonly queues: QueueList;
  readonly signal: SignalReply;
  readonly erase: EraseReply;
}
export type EngineVerb = keyof Replies | "register" | "heartbeat" | "leave";
/** The answers to clients and to workers. */
export interface AllReplies extends Replies {
  readonly register: Registered;
  readonly heartbeat: HeartbeatReply;
  readonly leave: object;
}

/** Who needs the right to ask. A worker may do what an enqueuer may, since its tasks can enqueue others, and so may an operator. */
export type Asker = "worker" | "enqueuer" | "operator";
const page = decoder("request for a page", NextPage);
const verbs = {
  register: { by: "worker", decode: decodeRegister },
  heartbeat: { by: "worker", decode: decodeHeartbeat },
  leave: { by: "worker", decode: decodeLeave },
  result: { by: "enqueuer", decode: decoder("result request", AskResults) },
  get: { by: "enqueuer", decode: decoder("get request", GetRun) },
  signal: { by: "enqueuer", decode: decoder("signal request", SendSignal) },
  list: { by: "operator", decode: decoder("list request", ListRuns, withFilter) },
  cancel: { by: "operator", decode: decoder("cancel request", CancelRuns, withFilter) },
  erase: { by: "operator", decode: decoder("erase request", EraseRuns) },
  reschedule: { by: "operator", decode: decoder("reschedule request", Reschedule) },
  pause: { by: "operator", decode: decoder("pause request", ChangePause) },
  cron: { by: "operator", decode: decoder("cron request", ChangeCron) },
  crons: { by: "operator", decode: page },
  workers: { by: "operator", decode: page },
  queues: { by: "operator", decode: page },
} satisfies { readonly [V in EngineVerb]: { readonly by: Asker; readonly decode: (bytes: Uint8Array) => unknown } };

export const engineVerbs = Object.keys(verbs) as readonly EngineVerb[];
export const verbsBy = (asker: Asker): readonly EngineVerb[] => engineVerbs.filter((verb) => verbs[verb].by === asker);

export type RequestOf<V extends EngineVerb> = ReturnType<(typeof verbs)[V]["decode"]>;

/** Fails: MalformedRecord */
export const decodeRequest = <V extends EngineVerb>(verb: V, bytes: Uint8Array): RequestOf<V> =>
  verbs[verb].decode(bytes) as RequestOf<V>;

/** Tells an inbox where results are that are too large, or too old, to be sent there. */
export const decodeEnded = decoder("message about ended runs", Ended);

function withFilter(request: unknown, what: string): unknown {
  return readFilter(what, Filter.fields, request);
}
