// Reads single messages back from a stream by direct get: one core request, answered by any replica that has it.
import { StoreUnavailable } from "../domain/errors.ts";
import { jsonBytes } from "../protocol/bytes.ts";
import type { NatsLink } from "./link.ts";

export interface StoredMessage {
  readonly seq: number;
  readonly subject: string;
  readonly data: Uint8Array;
}

/** The message of a sequence, or undefined when it is gone. Fails: {@link StoreUnavailable} */
export const messageAt = (link: NatsLink, stream: string, seq: number): Promise<StoredMessage | undefined> =>
  get(link, stream, { seq });

/** The newest message of a subject. */
export const lastOf = (link: NatsLink, stream: string, subject: string): Promise<StoredMessage | undefined> =>
  get(link, stream, { last_by_subj: subject });

/** The first message of a subject filter at or after `seq`. */
export const nextOf = (link: NatsLink, stream: string, subject: string, seq = 1): Promise<StoredMessage | undefined> =>
  get(link, stream, { seq, next_by_subj: subject });

async function get(link: NatsLink, stream: string, query: Record<string, unknown>): Promise<StoredMessage | undefined> {
  try {
    const message = await link.nc.request(`$JS.API.DIRECT.GET.${stream}`, jsonBytes(query), { timeout: 5_000 });
    if (message.headers === undefined || message.headers.code === 404) return undefined;
    if (message.headers.code >= 400) throw new Error(`${message.headers.code} ${message.headers.description}`);
    return {
      seq: Number(message.headers.get("Nats-Sequence")),
      subject: message.headers.get("Nats-Subject"),
      data: message.data,
    };
  } catch (cause) {
    throw new StoreUnavailable({ operation: `read from ${stream}`, reason: (cause as Error).message });
  }
}
