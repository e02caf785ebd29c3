// Sending a signal through the leader, which knows whether the run takes it.
import { PayloadTooLarge } from "../domain/errors.ts";
import { largestSignal } from "../domain/signal.ts";
import type { Fold } from "../fold/fold.ts";
import type { Leader } from "../leader/leader.ts";
import { isDurable } from "../matching/durable/readiness.ts";
import type { TaskQueue } from "../matching/task-queue.ts";
import { jsonBytes, noBytes } from "../wire/bytes.ts";
import type { SendSignal, SignalReply } from "../wire/verbs.ts";

/** Signals of a run that it has not taken. */
const mostPending = 50_000;

/**
 * Stores a signal to a durable run once, however often it is sent with its token. The state of its run when it was stored decides. Fails:
 * StoreUnavailable, PayloadTooLarge, TypeError for a run that is not durable
 */
export async function sendSignal(leader: Leader, { key, name, token, data }: SendSignal): Promise<SignalReply> {
  const { publisher, subjects, holdsLease, link } = leader;
  const refused = refusalOf(leader.state.fold, key);
  if (refused !== undefined) return { refused };
  const bytes = data === undefined ? noBytes : jsonBytes(data);
  const limit = largestSignal(link.maxPayload);
  if (bytes.length > limit)
    throw new PayloadTooLarge({ what: `the signal "${name}" to ${key}`, bytes: bytes.length, limit });
  const run = leader.state.live.get(key)!;
  // A request may have waited while this engine was frozen, and its signal been stored and taken without it.
  const result = await publisher.append(subjects.signal(key, name, token), bytes, 0, { maySend: holdsLease });
  const seq = result.ok ? result.seq : (result.lastSeq ?? 0);
  await leader.progress.reached(seq);
  const { live, finished } = leader.state;
  const isLive = live.get(key)?.origin === run.origin;
  const end = finished.get(key);
  if (!isLive && (end === undefined || (end.origin === run.origin && end.seq < seq))) return { refused: "finished" };
  return { seq };
}

function refusalOf({ live, finished, signals }: Fold, key: string): "unknown" | "finished" | "full" | undefined {
  const run = live.get(key);
  if (run === undefined) return finished.has(key) ? "finished" : "unknown";
  // What nobody has registered yet may be durable.
  const isKnown = (run.log.attached as TaskQueue | undefined)?.definition !== undefined;
  if (isKnown && !isDurable(run)) throw new TypeError(`run ${key} cannot take signals: its task is not durable`);
  return (signals.get(key)?.length ?? 0) >= mostPending ? "full" : undefined;
}
