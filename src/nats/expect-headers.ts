import { headers, type MsgHdrs } from "@nats-io/transport-node";

/** Bytes that the header of an append takes at most. */
export const largestHeader = 80;

/** The header that makes the message take the place of all others of its subject where `replaces`, and that makes the server compare the newest sequence of the subject, encoded once: that costs more than the rest of a publish. */
export function expectHeaders(expect: number, replaces = false): MsgHdrs {
  const made = headers();
  if (replaces) made.set("Nats-Rollup", "sub");
  made.set("Nats-Expected-Last-Subject-Sequence", String(expect));
  const encoded = (made as unknown as { encode(): Uint8Array }).encode();
  return Object.assign(made, { encode: () => encoded });
}

/** Nearly all appends create their subject. */
export const expectNone: MsgHdrs = expectHeaders(0);
