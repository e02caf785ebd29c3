// The streams and buckets of a namespace: they are created if missing, and updated if they are not what this version needs.
import * as Effect from "effect/Effect";
import * as Schedule from "effect/Schedule";
import { NamespaceTooNew, PermissionDenied, StoreUnavailable } from "../domain/errors.ts";
import type { Log } from "../domain/log.ts";
import type { Subjects } from "../wire/subjects.ts";
import { deniedSubject } from "./ask-store.ts";
import { assertReadable, currentFormat, leaseOfFormat, logOfFormat } from "./format.ts";
import type { NatsLink } from "./link.ts";
import { ApiRefusal, askOnce, type StreamConfig, type StreamInfo, streamNotFound } from "./stream-api.ts";

export interface StreamOptions {
  /** Existing streams are raised to this many replicas, never lowered. */
  readonly replicas: 1 | 3;
  /** Bytes at which new runs are refused. An existing stream keeps its limit when this is absent. @default no limit */
  readonly maxBytes?: number | undefined;
  /** Most bytes of durable runs' journals. An existing stream keeps its limit when this is absent. @default no limit */
  readonly journalMaxBytes?: number | undefined;
  /** Recreates a deleted log, without its runs. @default false */
  readonly recreate?: boolean | undefined;
}

/** A process without an engine: it creates missing streams if it may, and leaves changes to engines. */
export interface StreamUser {
  /** Called with what its settings ask for and an existing stream does not have. */
  readonly onDifference: (difference: string) => void;
  /** Called when it has created the log, because no engine had done so. */
  readonly onMade?: () => void;
}

export const leaseTtlMs = 5_000;
/** A full stream would refuse outcomes too, so its own limit is above the one at which new runs are refused. */
export const reserveBytes = (maxBytes: number): number => Math.max(64 * 1024 * 1024, Math.ceil(maxBytes / 4));

/**
 * Creates what is missing and updates what differs; for a {@link StreamUser}, only what it may. Any number of processes may do so at once.
 *
 * Fails: {@link StoreUnavailable} for a refusal, or after 10 s without JetStream; {@link PermissionDenied}; {@link NamespaceTooNew}
 */
export const ensureStreams = (
  link: NatsLink,
  subjects: Subjects,
  options: StreamOptions,
  user?: StreamUser,
): Effect.Effect<void, StoreUnavailable | PermissionDenied | NamespaceTooNew> =>
  Effect.tryPromise({
    try: () => ensureAll(link, subjects, options, user),
    catch: (cause) => cause as NotEnsured,
  }).pipe(
    Effect.retry({
      while: (failure) => failure.passes,
      schedule: Schedule.spaced("200 millis"),
      times: 50,
    }),
    Effect.mapError((failure) => failure.error),
  );

/** Thrown when a stream could not be created, or not be made what it should be. */
export class NotEnsured {
  readonly error: StoreUnavailable | PermissionDenied | NamespaceTooNew;
  /** Whether the cause passes by itself. */
  readonly passes: boolean;
  /** The server does not have the space that the stream asks for. */
  readonly isTooLarge: boolean;

  constructor(error: NotEnsured["error"], passes = false, isTooLarge = false) {
    this.error = error;
    this.passes = passes;
    this.isTooLarge = isTooLarge;
  }
}

export type NamedConfig = Partial<StreamConfig> & { readonly name: string };

async function ensureAll(link: NatsLink, subjects: Subjects, options: StreamOptions, user?: StreamUser): Promise<void> {
  // In this order: the bucket is created after the log, so a bucket without a log means that the log was deleted.
  const bucket = options.recreate === true ? undefined : await findConfig(link, subjects.bucketStream);
  const log = await findConfig(link, subjects.stream);
  if (bucket !== undefined && log === undefined) throw deletedLog(subjects.stream);
  for (const [stream, make] of makers(subjects, options, log)) {
    const isLog = stream === subjects.stream;
    const found = user === undefined ? undefined : isLog ? log : await findConfig(link, stream);
    if (found === undefined) {
      await (user === undefined ? make(link) : makeMissing(link, make, subjects));
      if (isLog) user?.onMade?.();
    } else if (isLog) tellDifferences(found, options, user!);
  }
}

/** Creates what is missing for a user; one who may not create streams waits for an engine that does. */
async function makeMissing(
  link: NatsLink,
  make: (link: NatsLink) => Promise<unknown>,
  subjects: Subjects,
): Promise<void> {
  try {
    await make(link);
  } catch (cause) {
    const { error } = cause as NotEnsured;
    if (!(error instanceof PermissionDenied)) throw cause;
    const reason = "this user may not create them, and no engine has done so yet; start an engine in this namespace";
    const operation = `find the streams of namespace "${subjects.namespace}"`;
    throw new NotEnsured(new StoreUnavailable({ operation, reason }), true);
  }
}

function tellDifferences(found: StreamConfig, { replicas, maxBytes }: StreamOptions, user: StreamUser): void {
  const tell = (has: string, asked: string) =>
    user.onDifference(
      `stream ${found.name} has ${has}, and ${asked} is set here; only engines change streams: set it there`,
    );
  if (replicas > found.num_replicas) tell(`${found.num_replicas} replica`, `replicas: ${replicas} (NATCHET_REPLICAS)`);
  const wanted = maxBytes === undefined ? found.max_bytes : maxBytes + reserveBytes(maxBytes);
  if (wanted !== found.max_bytes) tell(`another limit`, `maxBytes: ${maxBytes} (NATCHET_MAX_BYTES)`);
}

/** Recreates a stream that was deleted while the namespace was in use. Returns false if that is not allowed. Fails: {@link NotEnsured} */
export async function remakeStream(
  link: NatsLink,
  subjects: Subjects,
  options: StreamOptions,
  stream: string,
): Promise<boolean> {
  // Everything in the lease is claimed again; the log and the bucket contain what somebody may want back.
  if (stream !== subjects.leaseStream && options.recreate !== true) return false;
  const log = await findConfig(link, subjects.stream);
  await makers(subjects, options, log).get(stream)?.(link);
  return true;
}

/**
 * Raises an older namespace to this version's format, which older engines cannot read. Only the holder of the lease may. Returns the error if the
 * namespace has a newer format. `withinMs`: how long to wait for the server to say which one it has.
 *
 * Fails: {@link StoreUnavailable}, {@link PermissionDenied}
 */
export async function raiseFormat(
  link: NatsLink,
  subjects: Subjects,
  log: Log,
  withinMs: number,
): Promise<NamespaceTooNew | undefined> {
  try {
    const found = await findConfig(link, subjects.stream, withinMs);
    if (found === undefined) return; // it was deleted; whoever watches it says so
    const before = formatFor(found, subjects);
    if (before !== currentFormat)
      await ensureStream(link, { name: found.name, ...logOfFormat(currentFormat, subjects, found.metadata) });
    // From here on no engine of an older format can claim or renew its lease. Always, since an engine may have died between the two.
    await ensureStream(link, { name: subjects.leaseStream, subjects: leaseOfFormat(currentFormat, subjects) });
    if (before === currentFormat) return;
    const told = "the namespace now has the format of this version; older engines and workers can no longer use it";
    log.warn(told, { format: currentFormat, before });
  } catch (cause) {
    const { error } = cause as NotEnsured;
    if (error instanceof NamespaceTooNew) return error;
    throw error;
  }
}

/** How long an answer of the API of streams may take. Units: milliseconds */
export const answersWithinMs = 3_000;

type Makers = ReadonlyMap<string, (link: NatsLink) => Promise<unknown>>;

/** By name of a stream: what creates it, or makes it what it should be. `log`: the existing one. Fails: {@link NotEnsured} if that has a newer format */
function makers(subjects: Subjects, options: StreamOptions, log: StreamConfig | undefined): Makers {
  const format = log === undefined ? currentFormat : formatFor(log, subjects);
  const made = { ...logConfig(subjects, options), ...logOfFormat(format, subjects, log?.metadata) };
  const configs = [made, bucketConfig(subjects.bucket, options), journalConfig(subjects, options)];
  const lease = {
    ...{ ...bucketConfig(subjects.leaseBucket, options), ...leaseLife },
    subjects: leaseOfFormat(format, subjects),
  };
  const makeLease = async (link: NatsLink) => {
    if (!(await ensureStream(link, lease, { first_seq: epochFloor() }))) return;
    // A killed nats-server 2.10 forgets the content of a stream that begins with such a first message: the second replaces it.
    for (let i = 0; i < 2; i++) link.nc.publish(`${subjects.lease}.first`);
  };
  const makeOthers = configs.map((config) => [config.name, (link: NatsLink) => ensureStream(link, config)] as const);
  return new Map<string, (link: NatsLink) => Promise<unknown>>([...makeOthers, [lease.name, makeLease]]);
}

/**
 * The first sequence of the lease's stream. Epochs are its sequences, and must grow even if it is recreated: so it begins with the time in
 * seconds, since it gets less than one message a second.
 */
export const epochFloor = (): number => Math.floor(Date.now() / 1_000);

function deletedLog(stream: string): NotEnsured {
  const reason =
    "it was deleted; restore it from a backup, or recreate it empty, without its runs, with recreate: true (NATCHET_RECREATE=1)";
  return new NotEnsured(new StoreUnavailable({ operation: `find stream ${stream}`, reason }));
}

function formatFor(log: StreamConfig, subjects: Subjects): number {
  try {
    return assertReadable(log, subjects);
  } catch (error) {
    throw new NotEnsured(error as NamespaceTooNew);
  }
}

/** Fails: {@link NotEnsured} */
export async function findConfig(
  link: NatsLink,
  stream: string,
  withinMs: number = answersWithinMs,
): Promise<StreamConfig | undefined> {
  try {
    return await configOf(link, stream, withinMs);
  } catch (cause) {
    throw notEnsured(stream, cause);
  }
}

/** Tries once. Returns whether the stream was created. An existing one keeps what `config` does not name; `atFirst` is only for a new one. Fails: {@link NotEnsured} */
export async function ensureStream(
  link: NatsLink,
  config: NamedConfig,
  atFirst: Partial<StreamConfig> = {},
): Promise<boolean> {
  try {
    return await ensure(link, config, atFirst);
  } catch (cause) {
    throw notEnsured(config.name, cause);
  }
}

const logConfig = (subjects: Subjects, { replicas, maxBytes }: StreamOptions): NamedConfig => ({
  name: subjects.stream,
  retention: "limits",
  storage: "file",
  max_msgs_per_subject: 1,
  discard: "new",
  allow_direct: true,
  num_replicas: replicas,
  // Newer servers allow 1000 consumers per stream by default; every warm engine is one.
  max_consumers: 100_000,
  ...(maxBytes !== undefined && { max_bytes: maxBytes + reserveBytes(maxBytes) }),
});

/** Nothing expires: a journal is purged once its run is forgotten. */
const journalConfig = (subjects: Subjects, { replicas, journalMaxBytes }: StreamOptions): NamedConfig => ({
  name: subjects.journalStream,
  subjects: [subjects.journals],
  retention: "limits",
  storage: "file",
  discard: "new",
  allow_rollup_hdrs: true,
  allow_direct: true,
  num_replicas: replicas,
  ...(journalMaxBytes !== undefined && { max_bytes: journalMaxBytes }),
});

const bucketConfig = (name: string, { replicas }: StreamOptions): NamedConfig => ({
  name: `KV_${name}`,
  subjects: [`$KV.${name}.>`],
  retention: "limits",
  storage: "file",
  max_msgs_per_subject: 1,
  discard: "new",
  allow_rollup_hdrs: true,
  deny_delete: true,
  allow_direct: true,
  num_replicas: replicas,
  max_consumers: 100_000,
});

const leaseLife = { max_age: leaseTtlMs * 1_000_000, duplicate_window: leaseTtlMs * 1_000_000 } as const;

async function ensure(link: NatsLink, config: NamedConfig, atFirst: Partial<StreamConfig>): Promise<boolean> {
  const found = await configOf(link, config.name);
  if (found === undefined) {
    await askOnce(link.nc, `STREAM.CREATE.${config.name}`, { ...atFirst, ...config }, answersWithinMs).catch(
      async (cause: unknown) => {
        if (codeOf(cause) !== nameTaken) throw cause;
        // Another process created it at the same moment, perhaps with other options.
        await update(link, config, (await configOf(link, config.name)) ?? (config as StreamConfig));
      },
    );
  } else await update(link, config, found);
  return found === undefined;
}

async function configOf(link: NatsLink, name: string, withinMs = answersWithinMs): Promise<StreamConfig | undefined> {
  try {
    return (await askOnce<StreamInfo>(link.nc, `STREAM.INFO.${name}`, undefined, withinMs)).config;
  } catch (error) {
    if (codeOf(error) === streamNotFound) return undefined;
    throw error;
  }
}

/** Settings that are fixed when a stream is created: a server refuses to change them, and an older stream works with what it has. */
const fixed = new Set(["name", "max_consumers", "deny_delete"]);

async function update(link: NatsLink, config: NamedConfig, found: StreamConfig): Promise<void> {
  const wanted = { ...config, num_replicas: Math.max(config.num_replicas ?? 1, found.num_replicas) };
  const differing = Object.entries(wanted).filter(
    ([field, value]) => !fixed.has(field) && !isEqual(found[field as keyof StreamConfig], value),
  );
  if (differing.length === 0) return;
  const changed = { ...found, ...Object.fromEntries(differing) };
  await askOnce(link.nc, `STREAM.UPDATE.${config.name}`, changed, answersWithinMs);
}

const isEqual = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The API answers this for a moment after the last stream of an account was removed. */
const noStoreYet = 10049;
/** The server, or the account, has no room for the stream. */
const noRoom = new Set([10002, 10028, 10047]);
const nameTaken = 10058;
const codeOf = (error: unknown): number | undefined => (error instanceof ApiRefusal ? error.error.err_code : undefined);

function notEnsured(stream: string, cause: unknown): NotEnsured {
  const subject = deniedSubject(cause);
  if (subject !== undefined)
    return new NotEnsured(new PermissionDenied({ subject, reason: `this user may not manage stream ${stream}` }));
  const reason = cause instanceof Error ? cause.message : String(cause);
  const error = new StoreUnavailable({ operation: `make or update stream ${stream}`, reason });
  // Anything but an answer of the API passes: a timeout, no responders, a broken connection.
  const refused = cause instanceof ApiRefusal ? cause.error : undefined;
  const passes = refused === undefined || refused.code === 503 || refused.err_code === noStoreYet;
  const isTooLarge = refused !== undefined && noRoom.has(refused.err_code);
  return new NotEnsured(error, passes && !isTooLarge, isTooLarge);
}
