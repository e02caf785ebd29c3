// The streams and buckets of a namespace: made when they are missing, brought up to date when they are not what this version needs.
import {
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "@nats-io/jetstream";
import { Effect, Schedule } from "effect";
import { type PermissionDenied, StoreUnavailable } from "../domain/errors.ts";
import type { Subjects } from "../protocol/subjects.ts";
import type { NatsLink } from "./link.ts";
import { refusal } from "./requirements.ts";

export interface StreamOptions {
  readonly replicas: 1 | 3;
  /** Bytes at which new runs are refused. */
  readonly maxBytes?: number | undefined;
}

export const leaseTtlMs = 5_000;
/** A full stream would refuse outcomes too, so its own limit lies above the one at which new runs are refused. */
export const reserveBytes = (maxBytes: number): number => Math.max(64 * 1024 * 1024, Math.ceil(maxBytes / 4));

export const ensureStreams = (
  link: NatsLink,
  subjects: Subjects,
  options: StreamOptions,
): Effect.Effect<void, StoreUnavailable | PermissionDenied> =>
  Effect.tryPromise({
    try: () => ensureAll(link, subjects, options),
    catch: (cause) => unavailable(link.url, cause),
  }).pipe(
    Effect.retry({
      while: (error) => error._tag === "StoreUnavailable",
      schedule: Schedule.spaced("200 millis"),
      times: 50,
    }),
  );

async function ensureAll(link: NatsLink, subjects: Subjects, options: StreamOptions): Promise<void> {
  const manager = await jetstreamManager(link.nc, { timeout: 5_000, checkAPI: false });
  for (const config of configs(subjects, options)) await ensure(manager, config);
}

type NamedConfig = Partial<StreamConfig> & { name: string };

function configs(subjects: Subjects, options: StreamOptions): NamedConfig[] {
  const bucket = (name: string): NamedConfig => ({
    name: `KV_${name}`,
    subjects: [`$KV.${name}.>`],
    max_msgs_per_subject: 1,
    discard: DiscardPolicy.New,
    allow_rollup_hdrs: true,
    deny_delete: true,
    allow_direct: true,
    storage: StorageType.File,
    num_replicas: options.replicas,
  });
  return [
    {
      name: subjects.stream,
      subjects: [subjects.runs, subjects.outcomes],
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      max_msgs_per_subject: 1,
      discard: DiscardPolicy.New,
      allow_direct: true,
      num_replicas: options.replicas,
      max_bytes: options.maxBytes === undefined ? -1 : options.maxBytes + reserveBytes(options.maxBytes),
    },
    bucket(subjects.bucket),
    { ...bucket(subjects.leaseBucket), max_age: leaseTtlMs * 1_000_000, duplicate_window: leaseTtlMs * 1_000_000 },
  ];
}

async function ensure(manager: JetStreamManager, config: NamedConfig): Promise<void> {
  try {
    const { config: found } = await manager.streams.info(config.name);
    const isCurrent = Object.entries(config).every(([field, value]) =>
      isEqual(found[field as keyof StreamConfig], value),
    );
    if (!isCurrent) await manager.streams.update(config.name, config);
  } catch (error) {
    if (!(error instanceof Error) || !isMissing(error)) throw error;
    await manager.streams.add(config).catch((cause: unknown) => {
      if (!isTaken(cause)) throw cause; // another process made it in the same moment
    });
  }
}

const isEqual = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
const isMissing = (error: Error): boolean =>
  error.name === "StreamNotFoundError" || /stream not found/i.test(error.message);
const isTaken = (error: unknown): boolean => error instanceof JetStreamApiError && error.code === 10058;

function unavailable(url: string, cause: unknown): StoreUnavailable | PermissionDenied {
  const sorted = refusal(url, cause);
  if (sorted._tag === "PermissionDenied") return sorted;
  return new StoreUnavailable({
    operation: "make its streams",
    reason: cause instanceof Error ? cause.message : String(cause),
  });
}
