// A request that does not wait for an answer which can no longer come.
import type { MsgHdrs } from "@nats-io/transport-node";
import type { Msg, NatsLink } from "./link.ts";

export interface RequestOptions {
  /** Units: milliseconds */
  readonly timeout: number;
  readonly headers?: MsgHdrs;
}

/** Like the client's request, but fails at once when the connection breaks: its answer cannot come any more. */
export function request(link: NatsLink, subject: string, payload: Uint8Array, options: RequestOptions): Promise<Msg> {
  return new Promise((resolve, reject) => {
    const end = link.onDisconnect(() => reject(new Error("the connection broke")));
    link.nc.request(subject, payload, options).then(resolve, reject).finally(end);
  });
}
