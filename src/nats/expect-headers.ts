import type { MsgHdrs } from "@nats-io/transport-node";
import { utf8 } from "../wire/bytes.ts";

/** Most bytes that the header of an append takes. */
export const largestHeader = 80;

/**
 * The header that makes the server compare the newest sequence of the subject; with `replaces`, the message replaces all others there.
 *
 * Written by hand: the client's own costs more than the rest of a publish. It is only sent, so only its bytes are needed.
 */
export function expectHeaders(expect: number, replaces = false): MsgHdrs {
  const rollup = replaces ? "Nats-Rollup: sub\r\n" : "";
  const encoded = utf8(`NATS/1.0\r\n${rollup}Nats-Expected-Last-Subject-Sequence: ${expect}\r\n\r\n`);
  return { encode: () => encoded } as unknown as MsgHdrs;
}

/** The message replaces all others of its subject, whatever is there. */
export const replacesAll: MsgHdrs = {
  encode: () => utf8("NATS/1.0\r\nNats-Rollup: sub\r\n\r\n"),
} as unknown as MsgHdrs;

/** Nearly all appends create their subject. */
export const expectNone: MsgHdrs = expectHeaders(0);
