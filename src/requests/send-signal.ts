// Sending a signal through the leader, which knows whether the run accepts signals.
import { PayloadTooLarge } from "../domain/errors.ts";
import { largestSignal } from "../domain/signal.ts";
import type { Fold } from "../fold/fold.ts";
import type { Leader } from "../leader/leader.ts";
import { isDurable } from "../matching/durable/readiness.ts";
import type { TaskQueue } from "../matching/task-queue.ts";
import { jsonBytes, noBytes } from "../wire/bytes.ts";
import type { SendSignal, SignalReply } from "../wire/verbs.ts";

/** Most signals that a run can have without having taken them. */
const mostPending = 50_000;

/**
 * Stores a signal to a durable run once, however often it is sent with its token. It is refused if the run had finished when it was
 * stored. Fails: StoreUnavailable, PayloadTooLarge, TypeError for a run that is not durable
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
  // Without the lease, nothing is sent: while this engine was frozen, the next leader may have stored the same signal, and the run taken it.
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
  // A task that no worker has registered yet may be durable.
  const isKnown = (run.log.attached as TaskQueue | undefined)?.definition !== undefined;
  if (isKnown && !isDurable(run)) throw new TypeError(`run ${key} cannot take signals: its task is not durable`);
  return (signals.get(key)?.length ?? 0) >= mostPending ? "full" : undefined;
}
