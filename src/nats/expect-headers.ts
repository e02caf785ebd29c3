import type { MsgHdrs } from "@nats-io/transport-node";
import { utf8 } from "../wire/bytes.ts";

/** Most bytes that the header of an append takes. */
export const largestHeader = 80;

const expectation = "Nats-Expected-Last-Subject-Sequence: ";
const rollup = "Nats-Rollup: sub\r\n";

function sent(lines: string): MsgHdrs {
  const encoded = utf8(`NATS/1.0\r\n${lines}\r\n`);
  return { encode: () => encoded } as unknown as MsgHdrs;
}

/** Nearly all appends create their subject. */
const expectNone = sent(`${expectation}0\r\n`);

/**
 * The header that makes the server compare the newest sequence of the subject; with `replaces`, the message replaces all others there.
 *
 * Written by hand: the client's own costs more than the rest of a publish. It is only sent, so only its bytes are needed.
 */
export function expectHeaders(expect: number, replaces = false): MsgHdrs {
  if (expect === 0 && !replaces) return expectNone;
  return sent(`${replaces ? rollup : ""}${expectation}${expect}\r\n`);
}

/** The message replaces all others of its subject, whatever is there. */
export const replacesAll: MsgHdrs = sent(rollup);
