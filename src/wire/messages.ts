// JSON messages over core NATS, checked at the edge. Decoders are built once; a message that does not match is a MalformedRecord.
import { Result, Schema } from "effect";
import type { CronRule as CronDeclaration, CronInfo } from "../domain/cron.ts";
import { MalformedRecord } from "../domain/errors.ts";
import type { QueueInfo, RunFilter, RunList, WorkerInfo } from "../domain/listing.ts";
import { type RunInfo, waitingReasons } from "../domain/run.ts";
import { jsonBytes, jsonOf } from "./bytes.ts";
import { lastMoment } from "./ranges.ts";
import { readFilter } from "./run-filter.ts";

const Text = Schema.String;
const Count = Schema.Finite;
const between = (minimum: number, maximum: number) => Schema.isBetween({ minimum, maximum });
const Whole = Schema.Int.check(between(0, Number.MAX_SAFE_INTEGER));
const TurnNumber = Schema.Int.check(between(1, 2 ** 32 - 1));
const Origin = Schema.Finite.check(between(1, Number.MAX_SAFE_INTEGER));
const Epoch = Schema.Int.check(between(0, 2 ** 32 - 1));
/** Also a span. */
const Time = Schema.Finite.check(between(0, lastMoment));
const StringMap = Schema.Record(Schema.String, Schema.String);

/** A run that a worker holds: executing, or its outcome is not yet stored. */
const HeldRun = Schema.Struct({
  key: Text,
  turn: TurnNumber,
  origin: Origin,
  startedAt: Time,
  /** It continues without a slot. */
  slotless: Schema.optionalKey(Schema.Boolean),
  /** Its deadline, if it was extended. */
  until: Schema.optionalKey(Time),
});
const CronRule = Schema.Struct({
  name: Text,
  expression: Text,
  timezone: Text,
  catchUp: Schema.Literals(["none", "last", "all"]),
  input: Schema.optionalKey(Schema.Unknown),
});
const Concurrency = Schema.Struct({
  key: Schema.NullOr(Text),
  max: Whole,
  strategy: Schema.Literals(["queue", "cancel-newest", "cancel-in-progress"]),
});
const RateLimit = Schema.Struct({ key: Text, limit: Whole, perMs: Time, units: Schema.Union([Whole, Text]) });
const LabelValue = Schema.Union([Text, Count]);
const Affinity = Schema.Struct({
  label: Text,
  value: Schema.Union([LabelValue, Schema.Array(LabelValue)]),
  comparator: Schema.Literals(["=", "!=", ">", ">=", "<", "<=", "in"]),
  required: Schema.Boolean,
  weight: Count,
});
const Policies = Schema.Struct({
  concurrency: Schema.optionalKey(Schema.Array(Concurrency)),
  rateLimits: Schema.optionalKey(Schema.Array(RateLimit)),
  slots: Schema.optionalKey(Whole),
  affinity: Schema.optionalKey(Schema.Array(Affinity)),
  batch: Schema.optionalKey(
    Schema.Struct({ size: Whole, intervalMs: Time, bytes: Schema.NullOr(Whole), key: Schema.NullOr(Text) }),
  ),
  sticky: Schema.optionalKey(Schema.Literals(["soft", "hard"])),
});
const TaskDeclaration = Schema.Struct({
  name: Text,
  timeoutMs: Time,
  scheduleTimeoutMs: Schema.NullOr(Time),
  priority: Schema.Int.check(between(0, 9)),
  retries: Whole,
  inputSchema: Schema.Unknown,
  outputSchema: Schema.Unknown,
  policies: Schema.optionalKey(Policies),
  crons: Schema.optionalKey(Schema.Array(CronRule)),
  onFailure: Schema.optionalKey(Text),
  durable: Schema.optionalKey(
    Schema.Struct({
      version: Whole,
      code: Text,
      deadlineMs: Schema.NullOr(Time),
      cancelTimeoutMs: Schema.optionalKey(Time),
    }),
  ),
});
const Part = Schema.Struct({ of: Text, index: Whole, count: Whole });
/** The protocol version of workers and engines. */
export const protocol = 2;
const Register = Schema.Struct({
  v: Schema.Literal(protocol),
  id: Text,
  /** Sent only to engines, which accept nothing from a worker without it. */
  secret: Schema.optionalKey(Text),
  name: Text,
  slots: Whole,
  labels: Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Finite])),
  startedAt: Schema.optionalKey(Schema.Finite),
  /** The workers of a process share its fate. */
  process: Schema.optionalKey(Text),
  /** The newest epoch it knows; it accepts nothing from an older leader. Absent if it never had a leader. */
  heard: Schema.optionalKey(Count),
  runtime: Text,
  version: Text,
  quiet: Schema.Boolean,
  /** Sent by the heartbeat thread while the event loop is blocked. */
  blocked: Schema.optionalKey(Schema.Boolean),
  tasks: Schema.Array(TaskDeclaration),
  executing: Schema.Array(HeldRun),
  /** If it does not fit into one message. */
  part: Schema.optionalKey(Part),
});
/**
 * `cancel`: somebody wants the run to end. `fence`: this attempt no longer counts, whatever becomes of the run: it must not end it, except with work
 * that is already done.
 */
const Stop = Schema.Struct({
  kind: Schema.Literals(["cancel", "fence"]),
  key: Text,
  origin: Origin,
  turn: TurnNumber,
  reason: Text,
  /** For a durable run: where the log has the wish to cancel, and when that was stored. */
  seq: Schema.optionalKey(Whole),
  at: Schema.optionalKey(Time),
});
/** `clock` in answers: the leader's monotonic clock, in milliseconds. */
const Clock = Schema.optionalKey(Count);
const Registered = Schema.Struct({ epoch: Epoch, engine: Text, cancel: Schema.Array(Stop), clock: Clock });
const Heartbeat = Schema.Struct({
  id: Text,
  secret: Schema.optionalKey(Text),
  executing: Schema.Array(HeldRun),
  quiet: Schema.Boolean,
  lagMs: Count,
  blocked: Schema.optionalKey(Schema.Boolean),
  part: Schema.optionalKey(Part),
});
const HeartbeatReply = Schema.Struct({ epoch: Epoch, known: Schema.Boolean, cancel: Schema.Array(Stop), clock: Clock });
const Leave = Schema.Struct({ id: Text, secret: Schema.optionalKey(Text) });
const Ping = Schema.Struct({ epoch: Epoch, engine: Text });
const CancelOnWorker = Schema.Struct({ epoch: Epoch, runs: Schema.Array(Stop), n: Count, proof: Text });
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
/** Where the final outcome of a run is: the sequence of its log entry, and its index in there. */
const EndedRun = Schema.Struct({ key: Text, seq: Count, index: Count });
const Ended = Schema.Struct({ ended: Schema.Array(EndedRun) });
const EraseRuns = Schema.Struct({ runs: Schema.Array(Schema.String) });
const GetRun = Schema.Struct({ key: Text });
/** `delayMs`: from when the engine receives it; `dueAt` is then for engines that do not know delays. */
const Reschedule = Schema.Struct({
  runs: Schema.Array(Schema.String),
  dueAt: Time,
  delayMs: Schema.optionalKey(Time),
});
const ChangePause = Schema.Struct({
  task: Schema.optionalKey(Schema.String),
  worker: Schema.optionalKey(Schema.String),
  /** All of it: explicit, because a request that lost a field must not have the largest effect. */
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

export type { CancelReply, QueueInfo, RunFilter, RunList, WorkerInfo } from "../domain/listing.ts";
export type HeldRun = typeof HeldRun.Type;
export type TaskDeclaration = typeof TaskDeclaration.Type;
export type Register = typeof Register.Type;
export type Registered = typeof Registered.Type;
/** An attempt that a worker must stop, and why. */
export type Stop = typeof Stop.Type;
export type Heartbeat = typeof Heartbeat.Type;
export type HeartbeatReply = typeof HeartbeatReply.Type;
export type Leave = typeof Leave.Type;
export type Ping = typeof Ping.Type;
export type CancelOnWorker = typeof CancelOnWorker.Type;
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
/** Where it stands; or why its run does not take it. */
export type SignalReply = { readonly seq: number } | { readonly refused: "unknown" | "finished" | "full" };
export type AskResults = typeof AskResults.Type;
export type EndedRun = typeof EndedRun.Type;
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
/** Whether new runs are taken. Units: bytes */
export interface AdmissionFlag {
  readonly isOpen: boolean;
  readonly bytes: number;
  readonly maxBytes: number;
  /** What is wrong with the store; absent if it has only reached `maxBytes`. */
  readonly reason?: string;
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

const decodeOwnRegister = decoder("register message", Register);
/** Fails: MalformedRecord, also when it is of another version's worker */
export function decodeRegister(bytes: Uint8Array): Register {
  try {
    return decodeOwnRegister(bytes);
  } catch (error) {
    throw otherProtocol(bytes) ?? error;
  }
}
export const decodeRegistered = decoder("register reply", Registered);
export const decodeHeartbeat = decoder("heartbeat", Heartbeat);
export const decodeHeartbeatReply = decoder("heartbeat reply", HeartbeatReply);
export const decodeLeave = decoder("leave message", Leave);
export const decodePing = decoder("ping", Ping);
export const decodeCancelOnWorker = decoder("cancel message", CancelOnWorker);
export const decodeCancelRuns = decoder("cancel request", CancelRuns, withFilter);
export const decodeSendSignal = decoder("signal request", SendSignal);
export const decodeAskResults = decoder("result request", AskResults);
export const decodeEnded = decoder("message about ended runs", Ended);
export const decodeEraseRuns = decoder("erase request", EraseRuns);
export const decodeGetRun = decoder("get request", GetRun);
export const decodeReschedule = decoder("reschedule request", Reschedule);
export const decodeChangePause = decoder("pause request", ChangePause);
export const decodeChangeCron = decoder("cron request", ChangeCron);
export const decodeNextPage = decoder("request for a page", NextPage);
export const decodeListRuns = decoder("list request", ListRuns, withFilter);

export const isTaskDeclaration: (value: unknown) => value is TaskDeclaration = Schema.is(TaskDeclaration);

export const encodeMessage = (message: unknown): Uint8Array => jsonBytes(message);

/** The engine no longer leads, or its store does not answer: the request may be repeated. */
export const notLeading = "NotLeading";
export const transientErrors: ReadonlySet<string> = new Set([notLeading, "StoreUnavailable"]);

/** Any request may be answered with an error; returns it, or undefined. */
export interface ErrorReply {
  readonly error: { readonly name: string; readonly message: string };
}
export const errorReply = (error: unknown): ErrorReply =>
  error instanceof Error
    ? { error: { name: error.name, message: error.message } }
    : { error: { name: "Error", message: String(error) } };
export function errorOfReply(reply: unknown): ErrorReply["error"] | undefined {
  return typeof reply === "object" && reply !== null && "error" in reply ? (reply as ErrorReply).error : undefined;
}

/** Parses a JSON reply of our own, whose shape the caller knows. */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return jsonOf(bytes);
  } catch (cause) {
    throw new MalformedRecord({ what, reason: `no JSON: ${(cause as MalformedRecord).reason}` });
  }
}

function otherProtocol(bytes: Uint8Array): MalformedRecord | undefined {
  const { v, name, version } = (parseJson(bytes, "register message") ?? {}) as Record<string, unknown>;
  if (typeof v !== "number" || v === protocol) return undefined;
  const cure = v < protocol ? "upgrade the worker" : "upgrade the engine";
  const reason = `worker "${name}" of natchet ${version} speaks version ${v} of the protocol, and this engine version ${protocol}: ${cure} (docs/production/upgrade.md)`;
  return new MalformedRecord({ what: "register message", reason });
}

function withFilter(request: unknown, what: string): unknown {
  return readFilter(what, Filter.fields, request);
}

function decoder<S extends Schema.Top & { readonly DecodingServices: never }>(
  what: string,
  schema: S,
  read: (value: unknown, what: string) => unknown = (value) => value,
): (bytes: Uint8Array) => S["Type"] {
  const decode = Schema.decodeUnknownResult(schema as never) as unknown as (
    value: unknown,
  ) => Result.Result<S["Type"], Schema.SchemaError>;
  return (bytes) => {
    const result = decode(read(parseJson(bytes, what), what));
    if (Result.isSuccess(result)) return result.success;
    throw new MalformedRecord({ what, reason: result.failure.message });
  };
}
