// Reading all that a stream has by now of some subjects, and nothing after that.
import { StoreUnavailable } from "../domain/errors.ts";
import type { NatsLink } from "./link.ts";
import { followLog, type LogListener } from "./log-reader.ts";
import { newestFromLeader } from "./stored-message.ts";

export interface ReadStored {
  readonly stream: string;
  readonly filter: string;
  /** @default the first */
  readonly fromSeq?: number;
  /** @default 10_000 */
  readonly withinMs?: number;
  readonly onMessage: (seq: number, subject: string, data: Uint8Array, at: number) => void;
}

const recheckMs = 100;

/**
 * Calls back with every message that is stored by now, in order. `data` is valid only during the call.
 *
 * A consumer may read from a replica that lags behind, so this ends only when it has seen what the stream's leader had.
 *
 * Fails: {@link StoreUnavailable} when the store does not answer in time, {@link PermissionDenied}
 */
export async function readStored(link: NatsLink, given: ReadStored): Promise<void> {
  const { stream, filter, fromSeq = 1, withinMs = 10_000, onMessage } = given;
  const newest = () => newestFromLeader(link, stream, filter).then((found) => found?.seq ?? 0);
  let upTo = await newest();
  if (upTo < fromSeq) return;
  return new Promise((resolve, reject) => {
    let recheck: ReturnType<typeof setTimeout> | undefined;
    const end = (tell: () => void) => {
      clearTimeout(limit);
      clearTimeout(recheck);
      queueMicrotask(() => reader.close()); // later: this may be called while the reader is being made
      tell();
    };
    const late = new StoreUnavailable({
      operation: `read ${filter}`,
      reason: `no answer within ${withinMs / 1_000} s`,
    });
    const limit = setTimeout(() => end(() => reject(late)), withinMs);
    const look = () => {
      if (reader.position >= upTo) end(resolve);
      else recheck = setTimeout(ask, recheckMs);
    };
    // The newest message may have been removed in the meantime.
    const ask = () =>
      newest().then((seq) => {
        upTo = seq;
        look();
      }, look);
    const listener: LogListener = {
      onMessage: (seq, subject, data, at) => {
        onMessage(seq, subject, data, at);
        if (seq >= upTo) queueMicrotask(look); // does not wait for onCaughtUp: a stream that keeps growing is never caught up with
      },
      onCaughtUp: () => queueMicrotask(look),
    };
    const reader = followLog(link, stream, fromSeq, listener, filter);
  });
}
