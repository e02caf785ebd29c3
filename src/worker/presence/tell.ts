// Sends a worker's registration or heartbeat, in as many messages as needed.
import { randomToken } from "../../domain/random-token.ts";
import type { NatsLink } from "../../nats/link.ts";
import { errorOfReply, parseJson } from "../../wire/messages.ts";
import { encodeInParts, partLimit } from "../../wire/parts.ts";
import type { Subjects } from "../../wire/subjects.ts";

/** Returns the answer to the last part. Fails: Error with the engine's message, or that it did not answer */
export async function tellEngine(
  { link, subjects }: { readonly link: NatsLink; readonly subjects: Subjects },
  verb: "heartbeat" | "register",
  head: object,
  lists: { readonly [list: string]: readonly unknown[] },
): Promise<Uint8Array> {
  const parts = encodeInParts(head, lists, partLimit(link.maxPayload), randomToken(9));
  const timeout = timeouts[verb];
  const replies = await Promise.all(parts.map((part) => link.nc.request(subjects.engine(verb), part, { timeout })));
  for (const reply of replies) {
    const error = errorOfReply(parseJson(reply.data, `${verb} reply`));
    if (error !== undefined) throw new Error(isOfOlderEngine(error) ? olderEngine : error.message);
  }
  return replies.at(-1)!.data;
}

const olderEngine =
  "the leading engine is an older version of natchet and accepts no workers of this version; upgrade the engines (docs/production/upgrade.md)";
/** An engine knows one version of a registration, and refuses others by this field. */
const isOfOlderEngine = ({ message }: { readonly message: string }): boolean =>
  message.startsWith("malformed register message") && message.includes('["v"]');

const timeouts = { heartbeat: 3_000, register: 2_000 };
