// How the clock of a connection follows the server that stores the log.
import type { Log } from "../domain/log.ts";
import { atMost } from "../runtime/at-most.ts";
import { noBytes } from "../wire/bytes.ts";
import type { NatsLink } from "./link.ts";
import { request } from "./request.ts";

const answerWithinMs = 2_000;
/** A start waits no longer than this for the first answer. The clock shows the machine's time until then. */
const firstWithinMs = 1_000;

/** From now on `link.clock` follows the leader of `stream`, which stamps its messages. Resolves when the first answer is there, or soon. */
export async function keepServerTime(link: NatsLink, stream: string, log: Log): Promise<void> {
  const { clock } = link;
  const ask = async () => {
    // A request on a broken connection is never sent; it would only time out and keep a new leader waiting.
    if (!link.isConnected()) throw new Error("the connection is down");
    const reply = await request(link, `$JS.API.STREAM.INFO.${stream}`, noBytes, { timeout: answerWithinMs });
    return Date.parse((reply.json() as { ts?: string }).ts ?? "");
  };
  if (!clock.follow({ isConnected: () => link.isConnected(), ask }, log)) return;
  link.onReconnect(() => void clock.measure());
  await atMost(firstWithinMs, clock.measure());
}
