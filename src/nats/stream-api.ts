// The API of streams: what is asked about a whole stream, and how messages are removed from it.
import { jsonBytes } from "../wire/bytes.ts";
import { type ApiError, askStore } from "./ask-store.ts";
import type { NatsLink } from "./link.ts";

/** Codes of errors that are answers to what was asked. */
export const wrongLastSequence = 10071;
export const noMessageFound = 10037;
export const streamNotFound = 10059;

export interface StreamState {
  readonly messages: number;
  readonly bytes: number;
  readonly last_seq: number;
  readonly subjects?: Readonly<Record<string, number>>;
}
/** The settings of a stream that natchet sets or reads. Units: times in nanoseconds */
export interface StreamConfig {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly retention: "limits";
  readonly storage: "file" | "memory";
  readonly discard: "old" | "new";
  readonly num_replicas: number;
  readonly max_consumers: number;
  readonly max_msgs_per_subject: number;
  readonly max_bytes: number;
  readonly max_age: number;
  readonly duplicate_window: number;
  readonly allow_direct: boolean;
  readonly allow_rollup_hdrs: boolean;
  readonly deny_delete: boolean;
  readonly first_seq?: number;
  readonly republish?: { readonly src: string; readonly dest: string };
  readonly metadata?: Readonly<Record<string, string>>;
}
/** What natchet uses of an answer about a stream. */
export interface StreamInfo {
  readonly state: StreamState;
  readonly config: StreamConfig;
  /** When it was created. */
  readonly created: string;
  /** The time by the clock of its leader. */
  readonly ts?: string;
}

/** The API has refused a request, or cannot answer it now. */
export class ApiRefusal extends Error {
  readonly error: ApiError;

  constructor(error: ApiError) {
    super(error.description);
    this.error = error;
  }
}

/** Asks the API once. Fails: {@link ApiRefusal}; any other Error if there is no answer */
export async function askOnce<T>(nc: NatsLink["nc"], verb: string, asked: object | undefined, timeout: number) {
  const reply = await nc.request(`$JS.API.${verb}`, jsonBytes(asked), { timeout });
  const answer = reply.json() as T & { readonly error?: ApiError };
  if (answer.error !== undefined) throw new ApiRefusal(answer.error);
  return answer as T;
}

/** Fails: StoreUnavailable, also if there is no such stream; PermissionDenied */
export const streamInfo = async (link: NatsLink, stream: string): Promise<StreamInfo> =>
  (await askForInfo(link, stream)) as StreamInfo;

/** Like {@link streamInfo}, but nothing if there is no such stream. Fails: StoreUnavailable, PermissionDenied */
export const infoIfThere = (link: NatsLink, stream: string): Promise<Partial<StreamInfo>> =>
  askForInfo(link, stream, { mayBeMissing: true });

interface Asking {
  readonly mayBeMissing?: boolean;
  readonly query?: object;
}

async function askForInfo(link: NatsLink, stream: string, { mayBeMissing, query }: Asking = {}) {
  const reply = await askStore(link, `$JS.API.STREAM.INFO.${stream}`, jsonBytes(query), {
    operation: `tell the state of ${stream}`,
    accept: ({ err_code }) => mayBeMissing === true && err_code === streamNotFound,
  });
  return reply.json() as Partial<StreamInfo>;
}

/** The most subjects that a server names in one answer. */
const page = 100_000;

/** The subjects of a filter, `size` at a time. Fails: StoreUnavailable, PermissionDenied */
export async function* subjectsIn(
  link: NatsLink,
  stream: string,
  filter: string,
  size: number,
): AsyncGenerator<readonly string[]> {
  for (let offset = 0; ; offset += page) {
    const { state } = await askForInfo(link, stream, { query: { subjects_filter: filter, offset } });
    const names = Object.keys(state?.subjects ?? {});
    for (let i = 0; i < names.length; i += size) {
      yield names.slice(i, i + size);
      await new Promise(setImmediate);
    }
    if (names.length < page) return;
  }
}

export interface Purge {
  /** Removes only what is below this sequence. */
  readonly keepFrom?: number;
  /** The stream may not exist: then there is nothing to remove. */
  readonly mayBeMissing?: boolean;
}

/** Removes the messages of a subject filter; returns how many. Fails: StoreUnavailable, PermissionDenied */
export async function purgeSubject(
  link: NatsLink,
  stream: string,
  filter: string,
  { keepFrom: seq, mayBeMissing = false }: Purge = {},
): Promise<number> {
  const request = jsonBytes({ filter, ...(seq !== undefined && { seq }) });
  const reply = await askStore(link, `$JS.API.STREAM.PURGE.${stream}`, request, {
    operation: `purge ${filter}`,
    accept: ({ err_code }) => mayBeMissing && err_code === streamNotFound,
  });
  return (reply.json() as { purged?: number }).purged ?? 0;
}
