// The reply subject of a delivered message, which says where the message stands in its stream.
/** Where a delivered message stands. Read for every message of the log, so its reply subject is not split into tokens. */
export interface DeliveredPlace {
  /** Sequence in the stream. */
  readonly seq: number;
  /** Deliveries of this consumer so far, this one included. */
  readonly delivered: number;
  /** Stored messages that this consumer has not delivered yet. */
  readonly pending: number;
  /** When the server stored the message. Units: epoch milliseconds */
  readonly at: number;
}

const dot = 0x2e;
const zero = 0x30;
/** The time is in nanoseconds, which has more digits than a number holds: those below a millisecond are not read. */
const digitsBelowMs = 6;

/**
 * Reads `$JS.ACK.<stream>.<consumer>.<times>.<stream seq>.<consumer seq>.<time>.<pending>`, or the longer form with a domain and an account
 * before the stream and perhaps a random token at the end.
 */
export function deliveryOf(reply: string): DeliveredPlace {
  let tokens = 1;
  for (let i = 0; i < reply.length; i++) if (reply.charCodeAt(i) === dot) tokens += 1;
  // The five numbers follow four tokens in the short form, six in the long one.
  let from = 0;
  for (let skip = tokens >= 11 ? 7 : 5; skip > 0; skip--) from = reply.indexOf(".", from) + 1;
  const seqEnd = reply.indexOf(".", from);
  const deliveredEnd = reply.indexOf(".", seqEnd + 1);
  const timeEnd = reply.indexOf(".", deliveredEnd + 1);
  return {
    seq: numberAt(reply, from),
    delivered: numberAt(reply, seqEnd + 1),
    pending: numberAt(reply, timeEnd + 1),
    at: numberAt(reply, deliveredEnd + 1, timeEnd - digitsBelowMs),
  };
}

function numberAt(text: string, from: number, to = text.length): number {
  let value = 0;
  for (let i = from; i < to; i++) {
    const digit = text.charCodeAt(i) - zero;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return value;
}
