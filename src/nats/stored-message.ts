// Single messages of a stream, read back. Only the stream's leader knows what is newest and what is gone, since a replica may lag behind what was
// acknowledged. But a message that a replica has is the same everywhere, so any replica may answer a direct get.
import { StoreUnavailable } from "../domain/errors.ts";
import { jsonBytes, noBytes } from "../wire/bytes.ts";
import { askStore } from "./ask-store.ts";
import type { NatsLink } from "./link.ts";
import { noMessageFound, streamNotFound } from "./stream-api.ts";

export interface StoredMessage {
  readonly seq: number;
  readonly subject: string;
  readonly data: Uint8Array;
  /** When it was stored; absent if a replica has answered. Units: epoch milliseconds */
  readonly at?: number;
}

/** The message of a sequence, or undefined if the replica that answers does not have it. Fails: {@link StoreUnavailable} */
export const messageAt = (link: NatsLink, stream: string, seq: number): Promise<StoredMessage | undefined> =>
  directGet(link, stream, { seq });

/** The newest message of a subject on the replica that answers. The request names the subject, so that permissions can. Fails: {@link StoreUnavailable} */
export const newestOfAny = (link: NatsLink, stream: string, subject: string): Promise<StoredMessage | undefined> =>
  directGet(link, stream, undefined, `.${subject}`);

/** The newest message of a subject, from the stream's leader: replicas may lag behind an acknowledgement. Fails: {@link StoreUnavailable} */
export const newestFromLeader = (
  link: NatsLink,
  stream: string,
  subject: string,
  whenNoStream: "fails" | "none" = "fails",
): Promise<StoredMessage | undefined> => leaderGet(link, stream, { last_by_subj: subject }, whenNoStream);

/** The first message of a subject filter at or after `seq`, from the stream's leader. Fails: {@link StoreUnavailable} */
export const nextFromLeader = (
  link: NatsLink,
  stream: string,
  subject: string,
  seq = 1,
): Promise<StoredMessage | undefined> => leaderGet(link, stream, { seq, next_by_subj: subject }, "fails");

/** The message of a sequence, from the stream's leader. Fails: {@link StoreUnavailable} */
export const messageFromLeader = (link: NatsLink, stream: string, seq: number): Promise<StoredMessage | undefined> =>
  leaderGet(link, stream, { seq }, "fails");

async function leaderGet(
  link: NatsLink,
  stream: string,
  query: Record<string, unknown>,
  whenNoStream: "fails" | "none",
): Promise<StoredMessage | undefined> {
  const reply = await askStore(link, `$JS.API.STREAM.MSG.GET.${stream}`, jsonBytes(query), {
    operation: `read from ${stream}`,
    accept: ({ err_code }) => err_code === noMessageFound || (err_code === streamNotFound && whenNoStream === "none"),
  });
  const { message } = reply.json() as { message?: StoredByLeader };
  if (message === undefined) return undefined;
  const { seq, subject, data = "", time } = message;
  return { seq, subject, data: bytesOfBase64(data), at: Date.parse(time) };
}

interface StoredByLeader {
  readonly seq: number;
  readonly subject: string;
  readonly data?: string;
  readonly time: string;
}

async function directGet(
  link: NatsLink,
  stream: string,
  query: Record<string, unknown> | undefined,
  subject = "",
): Promise<StoredMessage | undefined> {
  const operation = `read from ${stream}`;
  const request = query === undefined ? noBytes : jsonBytes(query);
  const { headers, data } = await askStore(link, `$JS.API.DIRECT.GET.${stream}${subject}`, request, { operation });
  if (headers === undefined) throw new StoreUnavailable({ operation, reason: "it answered without headers" });
  if (headers.code === 404) return undefined;
  if (headers.code >= 400) throw new StoreUnavailable({ operation, reason: `${headers.code} ${headers.description}` });
  return { seq: Number(headers.get("Nats-Sequence")), subject: headers.get("Nats-Subject"), data };
}

const bytesOfBase64 = (text: string): Uint8Array => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
