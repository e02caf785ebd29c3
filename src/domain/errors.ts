// Every condition that somebody acts on. Wrong use at declaration throws TypeError or RangeError instead.
import { Data } from "effect";
import { type DurationInput, formatDuration, parseDuration } from "./duration.ts";
import type { ErrorRecord } from "./error-record.ts";
import type { AttemptRecord } from "./run.ts";
import { errorFrom, toText } from "./thrown.ts";

/** Written out, so that the published types can be read without inferring a call and without Effect's own. */
interface Tagged<Tag extends string> {
  new <Fields extends object>(fields: Fields): Error & { readonly _tag: Tag } & Readonly<Fields>;
}
const tagged = <Tag extends string>(tag: Tag) => Data.TaggedError(tag) as unknown as Tagged<Tag>;

/** Thrown by a task: the run fails at once, whatever retries are left. */
export class NonRetryableError extends Error {
  override readonly name = "NonRetryableError";
}

/**
 * Thrown by a task that cannot do its work yet: this attempt counts as not made, and the run begins again after the given time,
 * as often as it takes. It keeps its number of attempts and leaves no record in the history.
 *
 * @example
 * ```ts
 * throw new RetryLater("10m", "the report is not ready")
 * ```
 */
export class RetryLater extends Error {
  override readonly name = "RetryLater";
  /** Units: milliseconds */
  readonly ms: number;

  constructor(after: DurationInput, reason?: string) {
    const ms = parseDuration(after, "RetryLater");
    super(reason ?? `try again in ${formatDuration(ms)}`);
    this.ms = ms;
  }
}

const RunFailedBase: Tagged<"RunFailed"> = tagged("RunFailed");
/**
 * The run ended as `failed`; `error` is what the last attempt threw, `attempts` the latest ones (up to about 100). Its `cause` is that error made again, so
 * that what prints the failure shows the lines of the task.
 */
export class RunFailed extends RunFailedBase<{
  readonly key: string;
  readonly error: ErrorRecord;
  readonly attempts: readonly AttemptRecord[];
}> {
  constructor(failure: {
    readonly key: string;
    readonly error: ErrorRecord;
    readonly attempts: readonly AttemptRecord[];
  }) {
    super(failure);
    const value = errorFrom(failure.error);
    Object.defineProperty(this, "cause", { value, configurable: true, writable: true, enumerable: false });
  }

  override get message(): string {
    // Of a run that was tried for ever, the first attempts are not kept; lost ones have no number of their own.
    const count = Math.max(this.attempts.length, this.attempts.at(-1)?.attempt ?? 0);
    const tries = count > 1 ? ` after ${count} attempts` : "";
    return `run ${this.key} failed${tries}: ${this.error.name}: ${this.error.message}`;
  }
}

const RunCancelledBase: Tagged<"RunCancelled"> = tagged("RunCancelled");
/** The run ended as `cancelled`: by a caller, or by its schedule timeout. */
export class RunCancelled extends RunCancelledBase<{ readonly key: string; readonly reason: string }> {
  override get message(): string {
    return `run ${this.key} was cancelled: ${this.reason}`;
  }
}

const NotReschedulableBase: Tagged<"NotReschedulable"> = tagged("NotReschedulable");
/** The run cannot be moved to another time: it runs, which a durable one does until its end, or has finished. */
export class NotReschedulable extends NotReschedulableBase<{
  readonly key: string;
  readonly state: "running" | "finished";
}> {
  override get message(): string {
    const instead = this.state === "running" ? "cancel it" : "enqueue it again under another id";
    return `run ${this.key} cannot be rescheduled: it ${this.state === "running" ? "is running" : "has finished"}; ${instead}`;
  }
}

const NotReplayableBase: Tagged<"NotReplayable"> = tagged("NotReplayable");
/** The run cannot be run again: it has not ended, or its input is not kept. */
export class NotReplayable extends NotReplayableBase<{
  readonly key: string;
  readonly state: string;
  readonly inputIsGone?: boolean;
}> {
  override get message(): string {
    if (this.inputIsGone === true)
      return `run ${this.key} cannot be replayed: its input is no longer kept; enqueue it again with the input`;
    return `run ${this.key} cannot be replayed: it is ${this.state} and has not ended yet; wait for it, or cancel it`;
  }
}

const RunNotFoundBase: Tagged<"RunNotFound"> = tagged("RunNotFound");
/** No run of this key is known: never created, or forgotten by retention. */
export class RunNotFound extends RunNotFoundBase<{ readonly key: string }> {
  override get message(): string {
    return `run ${this.key} is not known: it was never created, or retention has removed it`;
  }
}

const RunFinishedBase: Tagged<"RunFinished"> = tagged("RunFinished");
/** The run has ended: it takes no signal any more. */
export class RunFinished extends RunFinishedBase<{ readonly key: string }> {
  override get message(): string {
    return `run ${this.key} has ended and accepts no more signals`;
  }
}

const InboxFullBase: Tagged<"InboxFull"> = tagged("InboxFull");
/** Too many signals wait for the run to take them. */
export class InboxFull extends InboxFullBase<{ readonly key: string }> {
  override get message(): string {
    return `run ${this.key} accepts no more signals: 50,000 are waiting; send fewer, or receive them in a loop`;
  }
}

const RunErasedBase: Tagged<"RunErased"> = tagged("RunErased");
/** The run has ended, and what was known of it was erased. */
export class RunErased extends RunErasedBase<{ readonly key: string }> {
  override get message(): string {
    return `run ${this.key} was erased: it has ended, and its input, output and log are not kept`;
  }
}

const ResultNotAwaitedBase: Tagged<"ResultNotAwaited"> = tagged("ResultNotAwaited");
/** The caller stopped waiting for the output: its time was over, its signal aborted or its client was closed. The run goes on. */
export class ResultNotAwaited extends ResultNotAwaitedBase<{
  readonly key: string;
  readonly reason: string;
  /** What the signal was aborted with. */
  readonly cause?: unknown;
}> {
  override get message(): string {
    return `stopped waiting for run ${this.key}: ${this.reason}; the run itself continues`;
  }
}

const EnqueueNotConfirmedBase: Tagged<"EnqueueNotConfirmed"> = tagged("EnqueueNotConfirmed");
/** The caller stopped waiting before the store had confirmed the run: it may be stored all the same, also later, and then it is executed. */
export class EnqueueNotConfirmed extends EnqueueNotConfirmedBase<{
  readonly task: string;
  /** The run's; undefined when nothing was sent yet, and so nothing will be stored. */
  readonly id: string | undefined;
  readonly reason: string;
  /** What the signal was aborted with. */
  readonly cause?: unknown;
}> {
  override get message(): string {
    if (this.id === undefined) return `no run of task "${this.task}" was stored: ${this.reason}`;
    return `run ${this.task}/${this.id} is not confirmed to be stored: ${this.reason}; it may still be stored when the server answers. To try again, use the same id`;
  }
}

const InvalidDataBase: Tagged<"InvalidData"> = tagged("InvalidData");
/** Input or output that its schema refuses. */
export class InvalidData extends InvalidDataBase<{
  readonly what: "input" | "output";
  readonly task: string;
  readonly issues: readonly { readonly path: string; readonly message: string }[];
}> {
  override get message(): string {
    const reasons = this.issues.map((issue) => `${issue.path || "(root)"}: ${issue.message}`).join("; ");
    return `invalid ${this.what} of task "${this.task}": ${reasons}`;
  }
}

const PayloadTooLargeBase: Tagged<"PayloadTooLarge"> = tagged("PayloadTooLarge");
/** Larger than the server's `max_payload`. Units: bytes */
export class PayloadTooLarge extends PayloadTooLargeBase<{
  readonly what: string;
  readonly bytes: number;
  readonly limit: number;
}> {
  override get message(): string {
    return `${this.what} is ${this.bytes} bytes, but the server accepts at most ${this.limit} (max_payload); store large data elsewhere and pass a reference`;
  }
}

const QueueFullBase: Tagged<"QueueFull"> = tagged("QueueFull");
/** The store has reached `maxBytes`: new runs are refused, nothing is lost. */
export class QueueFull extends QueueFullBase<{ readonly namespace: string; readonly reason: string }> {
  override get message(): string {
    return `namespace "${this.namespace}" accepts no new runs: ${this.reason}; raise maxBytes, shorten the retention or add workers`;
  }
}

const NatsUnreachableBase: Tagged<"NatsUnreachable"> = tagged("NatsUnreachable");
/** No connection to the server could be made. */
export class NatsUnreachable extends NatsUnreachableBase<{
  readonly url: string;
  readonly reason: string;
  /** @default what to do where nobody listens */
  readonly cure?: string | undefined;
}> {
  override get message(): string {
    const cure = this.cure ?? "start a server there, set NATS_URL, or unset it to use the embedded one";
    return `cannot connect to NATS at ${this.url}: ${this.reason}; ${cure}`;
  }
}

const ServerTooOldBase: Tagged<"ServerTooOld"> = tagged("ServerTooOld");
/** The server is older than natchet needs. */
export class ServerTooOld extends ServerTooOldBase<{
  readonly url: string;
  readonly version: string;
  readonly needed: string;
}> {
  override get message(): string {
    return `nats-server ${this.version} at ${this.url} is too old: natchet needs ${this.needed} or newer; upgrade it, or unset NATS_URL to use the embedded one`;
  }
}

const NamespaceTooNewBase: Tagged<"NamespaceTooNew"> = tagged("NamespaceTooNew");
/** A newer version of natchet has raised the format of the namespace beyond what this one knows. */
export class NamespaceTooNew extends NamespaceTooNewBase<{
  readonly namespace: string;
  readonly format: number;
  readonly known: number;
}> {
  override get message(): string {
    return `namespace "${this.namespace}" has format ${this.format}, and this version of natchet reads up to format ${this.known}: upgrade this process (docs/production/upgrade.md)`;
  }
}

const JetStreamDisabledBase: Tagged<"JetStreamDisabled"> = tagged("JetStreamDisabled");
/** The server has no JetStream, or this account has none. */
export class JetStreamDisabled extends JetStreamDisabledBase<{ readonly url: string }> {
  override get message(): string {
    return `the server at ${this.url} has JetStream disabled; start it with "nats-server -js", or enable jetstream for this account`;
  }
}

const PermissionDeniedBase: Tagged<"PermissionDenied"> = tagged("PermissionDenied");
/** The server does not let this user publish or subscribe to what natchet needs. */
export class PermissionDenied extends PermissionDeniedBase<{
  readonly subject: string;
  readonly reason: string;
}> {
  override get message(): string {
    return `NATS refuses ${this.subject}: ${this.reason}; "natchet nats-config" prints the permissions of each role (docs/production/permissions.md)`;
  }
}

const ServerBinaryNotFoundBase: Tagged<"ServerBinaryNotFound"> = tagged("ServerBinaryNotFound");
/** No usable nats-server program was found or could be fetched. */
export class ServerBinaryNotFound extends ServerBinaryNotFoundBase<{
  readonly tried: readonly string[];
}> {
  override get message(): string {
    return `no nats-server (2.10 or newer) was found: ${this.tried.join("; ")}. Install one, set NATCHET_NATS_SERVER to its path, or set NATS_URL to a running server`;
  }
}

const ServerNotRunningBase: Tagged<"ServerNotRunning"> = tagged("ServerNotRunning");
/** No server is running here, and whoever asked for one may not start it: `natchet/client`, a command, or `startServer: false`. */
export class ServerNotRunning extends ServerNotRunningBase<{
  readonly directory: string;
  /** Why the server on port 4222 is not used, where one answers. */
  readonly passedOver?: string | undefined;
}> {
  override get message(): string {
    const local =
      this.passedOver === undefined
        ? "none at nats://127.0.0.1:4222"
        : `the one at nats://127.0.0.1:4222 is not used (${this.passedOver})`;
    return `no NATS server is running: ${local}, and none in ${this.directory}; start a worker there ("natchet dev"), or set NATS_URL or NATCHET_DIRECTORY`;
  }
}

const EmbeddedServerFailedBase: Tagged<"EmbeddedServerFailed"> = tagged("EmbeddedServerFailed");
/** The embedded server did not start or stopped. */
export class EmbeddedServerFailed extends EmbeddedServerFailedBase<{ readonly reason: string }> {
  override get message(): string {
    return `the embedded nats-server failed: ${this.reason}`;
  }
}

const WorkerNotStartedBase: Tagged<"WorkerNotStarted"> = tagged("WorkerNotStarted");
/** A worker's own `onStart` failed; nothing was registered. */
export class WorkerNotStarted extends WorkerNotStartedBase<{
  readonly worker: string;
  readonly cause: unknown;
}> {
  override get message(): string {
    return `worker "${this.worker}" was not started because its onStart failed: ${toText(this.cause)}`;
  }
}

const HealthPortUnavailableBase: Tagged<"HealthPortUnavailable"> = tagged("HealthPortUnavailable");
/** The probes of this process cannot be served where it was told to. */
export class HealthPortUnavailable extends HealthPortUnavailableBase<{
  readonly host: string;
  readonly port: number;
  readonly reason: string;
}> {
  override get message(): string {
    return `the health port ${this.port} on ${this.host} cannot be used: ${this.reason}; set health.port (NATCHET_HEALTH_PORT, --health-port) to a free one, for example ${this.port < 65_535 ? this.port + 1 : 8080}`;
  }
}

const EngineUnreachableBase: Tagged<"EngineUnreachable"> = tagged("EngineUnreachable");
/** Nobody leads the namespace, or the leader does not answer; safe to try again. */
export class EngineUnreachable extends EngineUnreachableBase<{
  readonly namespace: string;
  readonly reason: string;
  /** Address of the NATS server. */
  readonly server?: string;
  /** False while this process has no connection to it. */
  readonly isConnected?: boolean;
}> {
  override get message(): string {
    const where = this.server === undefined ? "" : ` on ${this.server}`;
    if (this.isConnected === false)
      return `not connected to NATS${where}, so no engine can be reached in namespace "${this.namespace}"; the connection is restored once the server is back`;
    return `no engine answers in namespace "${this.namespace}"${where}: ${this.reason}; start a worker ("natchet dev", "natchet worker") or an engine ("natchet engine") there`;
  }
}

const EngineRefusedBase: Tagged<"EngineRefused"> = tagged("EngineRefused");
/** The engine has answered, but with an error: asking again does not help. */
export class EngineRefused extends EngineRefusedBase<{
  readonly verb: string;
  readonly reason: string;
}> {
  override get message(): string {
    return `the engine refused "${this.verb}": ${this.reason}`;
  }
}

const StoreUnavailableBase: Tagged<"StoreUnavailable"> = tagged("StoreUnavailable");
/** JetStream does not answer or refuses; safe to try again. */
export class StoreUnavailable extends StoreUnavailableBase<{
  readonly operation: string;
  readonly reason: string;
}> {
  override get message(): string {
    return `the store cannot ${this.operation}: ${this.reason}`;
  }
}

const StreamTooFastBase: Tagged<"StreamTooFast"> = tagged("StreamTooFast");
/** A task streams faster than its chunks can be stored and does not wait for `ctx.stream`. Units: bytes */
export class StreamTooFast extends StreamTooFastBase<{
  readonly key: string;
  readonly waitingBytes: number;
}> {
  override get message(): string {
    return `ctx.stream of run ${this.key}: ${this.waitingBytes} bytes are waiting to be stored, so this chunk was dropped; write "await ctx.stream(chunk)" to wait for room`;
  }
}

const DecryptionFailedBase: Tagged<"DecryptionFailed"> = tagged("DecryptionFailed");
/** Something of a run is encrypted, and cannot be decrypted here. A worker retries the run as the task says: another worker may have the key. */
export class DecryptionFailed extends DecryptionFailedBase<{
  /** The run, or the schedule, that it belongs to; undefined for a key that is needed at the start. */
  readonly run: string | undefined;
  /** Of the key that is needed. */
  readonly keyId: string;
  readonly reason: string;
}> {
  override get message(): string {
    const of = this.run === undefined ? "" : ` of ${this.run}`;
    return `what is encrypted${of} with key "${this.keyId}" cannot be read: ${this.reason}`;
  }
}

const MalformedRecordBase: Tagged<"MalformedRecord"> = tagged("MalformedRecord");
/** Bytes that are not what they claim to be; never retried. */
export class MalformedRecord extends MalformedRecordBase<{
  readonly what: string;
  readonly reason: string;
}> {
  override get message(): string {
    return `malformed ${this.what}: ${this.reason}`;
  }
}
