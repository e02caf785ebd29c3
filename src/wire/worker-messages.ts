// The messages between workers and the engine that leads.
import * as Schema from "effect/Schema";
import { MalformedRecord } from "../domain/errors.ts";
import { between, Count, decoder, Epoch, Origin, parseJson, Text, Time, TurnNumber, Whole } from "./messages.ts";

/** A run that a worker holds: it is executing, or its outcome is not stored yet. */
const HeldRun = Schema.Struct({
  key: Text,
  turn: TurnNumber,
  origin: Origin,
  startedAt: Time,
  /** It has given up its slot, and goes on without it. */
  slotless: Schema.optionalKey(Schema.Boolean),
  /** The attempt's deadline, if it was extended. */
  until: Schema.optionalKey(Time),
});
export const CronRule = Schema.Struct({
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
  /** Sent to engines only. They accept nothing in the worker's name without it. */
  secret: Schema.optionalKey(Text),
  name: Text,
  slots: Whole,
  labels: Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Finite])),
  startedAt: Schema.optionalKey(Schema.Finite),
  /** The workers of a process share its fate. */
  process: Schema.optionalKey(Text),
  /** The newest epoch that the worker knows; it accepts nothing from an older leader. Absent if it has never had a leader. */
  heard: Schema.optionalKey(Count),
  runtime: Text,
  version: Text,
  quiet: Schema.Boolean,
  /** Sent by the heartbeat thread while the event loop is blocked. */
  blocked: Schema.optionalKey(Schema.Boolean),
  tasks: Schema.Array(TaskDeclaration),
  executing: Schema.Array(HeldRun),
  /** Set if the registration does not fit into one message. */
  part: Schema.optionalKey(Part),
});
/** `cancel`: somebody wants the run to end. `fence`: this attempt no longer counts, so it must not end the run, except with work that is already done. */
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
/** Sent by the leader to each worker that has registered with it; and when it has just begun to lead, to all of them, without a proof. */
const Ping = Schema.Struct({
  epoch: Epoch,
  engine: Text,
  n: Schema.optionalKey(Count),
  proof: Schema.optionalKey(Text),
});
const CancelOnWorker = Schema.Struct({ epoch: Epoch, runs: Schema.Array(Stop), n: Count, proof: Text });

export type HeldRun = typeof HeldRun.Type;
export type TaskDeclaration = typeof TaskDeclaration.Type;
export type Register = typeof Register.Type;
export type Registered = typeof Registered.Type;
/** An attempt that a worker must stop, and why. */
export type Stop = typeof Stop.Type;
export type Heartbeat = typeof Heartbeat.Type;
export type HeartbeatReply = typeof HeartbeatReply.Type;
export type CancelOnWorker = typeof CancelOnWorker.Type;

const decodeOwnRegister = decoder("register message", Register);
/** Fails: MalformedRecord, also for a worker that speaks another version of the protocol */
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

export const isTaskDeclaration: (value: unknown) => value is TaskDeclaration = Schema.is(TaskDeclaration);

function otherProtocol(bytes: Uint8Array): MalformedRecord | undefined {
  const { v, name, version } = (parseJson(bytes, "register message") ?? {}) as Record<string, unknown>;
  if (typeof v !== "number" || v === protocol) return undefined;
  const cure = v < protocol ? "upgrade the worker" : "upgrade the engine";
  const reason = `worker "${name}" of natchet ${version} speaks version ${v} of the protocol, and this engine version ${protocol}: ${cure} (docs/production/upgrade.md)`;
  return new MalformedRecord({ what: "register message", reason });
}
