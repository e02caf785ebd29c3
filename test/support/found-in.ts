// Looks for a text in everything that a server stores.
import type { NatsLink } from "../../src/nats/link.ts";
import { followLog } from "../../src/nats/log-reader.ts";

/** The subjects of all messages that have a text in them, or in their subject, in every stream and bucket. */
export async function foundIn(link: NatsLink, text: string): Promise<string[]> {
  const found: string[] = [];
  for (const stream of await streamsOf(link)) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const reader = followLog(link, stream, 1, {
      onMessage: (_seq, subject, data) => {
        if (subject.includes(text) || Buffer.from(data).includes(text)) found.push(`${stream} ${subject}`);
      },
      onCaughtUp: () => resolve(),
    });
    await promise;
    reader.close();
  }
  return found;
}

/** From now on, every message that anybody sends with a text in it, by its subject. Stored or not; the returned list grows. */
export function overhear(link: NatsLink, text: string): readonly string[] {
  const heard: string[] = [];
  link.nc.subscribe(">", {
    callback: (error, { subject, data }) => {
      if (error === null && (subject.includes(text) || Buffer.from(data).includes(text))) heard.push(subject);
    },
  });
  return heard;
}

export async function streamsOf(link: NatsLink): Promise<readonly string[]> {
  return (await link.nc.request("$JS.API.STREAM.NAMES")).json<{ streams: string[] }>().streams;
}
