// The headers of an append, by which the server compares what its subject has before it stores anything.
import type { MsgHdrs } from "@nats-io/transport-node";
import { utf8 } from "../wire/bytes.ts";

/** The most bytes that the header of an append can take. */
export const largestHeader = 80;

const expectation = "Nats-Expected-Last-Subject-Sequence: ";
const rollup = "Nats-Rollup: sub\r\n";

function sent(lines: string): MsgHdrs {
  const encoded = utf8(`NATS/1.0\r\n${lines}\r\n`);
  return { encode: () => encoded } as unknown as MsgHdrs;
}

/** For appends that create their subject, as nearly all do. */
const expectNone = sent(`${expectation}0\r\n`);

/**
 * The header that makes the server compare the newest sequence of the subject; with `replaces`, the message replaces all others there.
 *
 * Written by hand, since the client's own header costs more than the rest of a publish. It is only sent, so its bytes are all that is needed.
 */
export function expectHeaders(expect: number, replaces = false): MsgHdrs {
  if (expect === 0 && !replaces) return expectNone;
  return sent(`${replaces ? rollup : ""}${expectation}${expect}\r\n`);
}

/** The message replaces all others of its subject, whatever is there. */
export const replacesAll: MsgHdrs = sent(rollup);
