// matching/durable/: when a parked run continues, and what becomes of its children.
// Whether a durable run can continue: a function of the log and the time up to which the log is known, the same on every leader.
import type { Blocked, ChildEnd, Offer, Resume, Wait } from "../../domain/durable.ts";
import { childIdOf } from "../../domain/durable.ts";
import { keyOf } from "../../domain/run.ts";
import { isCancelPending, pendingSignals } from "../../fold/flow.ts";
import type { Fold } from "../../fold/fold.ts";
import type { LiveRun } from "../../fold/live-run.ts";
import type { PendingSignal } from "../../fold/parked-run.ts";
import { queueOf, type TaskQueue } from "../task-queue.ts";
import type { WorkerRecord } from "../workers.ts";

/** A turn is offered the first of them; the rest when the run has parked again. */
const mostOffers = 100;

/** Whether the run's code is a durable method: it was parked before, or a worker has registered it as one. */
export const isDurable = (run: LiveRun): boolean =>
  run.flow !== undefined || (run.log.attached as TaskQueue | undefined)?.definition?.durable !== undefined;

/** Whether the run can continue. One that was never parked is ready, as is every plain one. */
export function isReady(fold: Fold, run: LiveRun): boolean {
  const { flow } = run;
  if (flow === undefined) return true;
  const { blocked, waits } = flow;
  if (blocked?.again !== undefined) return isPast(fold, blocked.again);
  if (blocked !== undefined) return hasOtherCode(run, blocked);
  if (isCancelPending(run)) return true;
  const signals = fold.signals.size === 0 ? [] : pendingSignals(fold, run);
  return waits.some((wait) => isSatisfied(fold, run, wait, signals));
}

function isSatisfied(fold: Fold, run: LiveRun, wait: Wait, signals: readonly PendingSignal[]): boolean {
  if (wait.kind === "timer") return isPast(fold, wait.deadline);
  if (wait.kind === "signal") return signals.some(({ name }) => name === wait.name);
  return isGroupOver(fold, run, wait);
}

/** Whether a deadline has passed by the log's time: everything that was stored before it is folded. */
export const isPast = ({ heardAt }: Fold, deadline: number): boolean => deadline < heardAt;

function isGroupOver(fold: Fold, run: LiveRun, wait: Extract<Wait, { kind: "children" }>): boolean {
  const group = fold.families.group(run.origin, run.flow!.lap, wait.ordinal);
  if (group === undefined) return false;
  return group.ended >= wait.size || (wait.failFast === true && group.failed > 0);
}

/** Whether a worker with room has code that was not found to mismatch. */
const hasOtherCode = (run: LiveRun, blocked: Blocked): boolean =>
  [...queueOf(run).workers].some((worker) => worker.hasRoom && mayFit(worker, run.task, blocked));

/**
 * Whether the code of a worker may match the journal of a run that was blocked. Code is compared by the text of its class, which says nothing of
 * what it imports, and plain workers have no such text: so a worker that has registered since is tried as well, once.
 */
export function mayFit({ tasks, registeredAt }: WorkerRecord, task: string, blocked: Blocked): boolean {
  const code = tasks.get(task)?.durable?.code;
  if (code === undefined) return false;
  return !blocked.codes.includes(code) || (blocked.at !== undefined && registeredAt > blocked.at);
}

/** What goes with the assignment of a parked run; undefined for any other. */
export function resumeOf(fold: Fold, run: LiveRun): Resume | undefined {
  const { flow } = run;
  if (flow === undefined) return undefined;
  return { parked: flow.parked, offers: offersFor(fold, run).slice(0, mostOffers) };
}

/**
 * Everything that the waits of a parked run can take, in log order. A timer comes after what was stored up to its deadline.
 *
 * Times are a running maximum: after a change of the stream's leader, the server's clock may be behind.
 */
export function offersFor(fold: Fold, run: LiveRun): Offer[] {
  const { waits } = run.flow!;
  const stored: Offer[] = [];
  const { cancelWish } = run.trail ?? {};
  if (isCancelPending(run)) {
    const { reason, seq, at } = cancelWish!;
    stored.push({ kind: "cancel", reason, time: at, sequence: seq });
  }
  const names = new Set(waits.flatMap((wait) => (wait.kind === "signal" ? [wait.name] : [])));
  for (const { name, seq, at } of names.size === 0 ? [] : pendingSignals(fold, run))
    if (names.has(name)) stored.push({ kind: "signal", name, time: at, sequence: seq });
  for (const wait of waits)
    if (wait.kind === "children" && isGroupOver(fold, run, wait)) stored.push(endOfGroup(fold, run, wait));
  stored.sort((a, b) => a.sequence - b.sequence);
  let newest = 0;
  const entries = stored.map((offer) => {
    newest = Math.max(newest, offer.time);
    return { ...offer, time: newest };
  });
  const timers = waits.flatMap((wait) =>
    wait.kind === "timer" && isPast(fold, wait.deadline) ? [timerOf(wait.ordinal, wait.deadline)] : [],
  );
  return [...entries, ...timers].sort((a, b) => a.time - b.time || a.sequence - b.sequence);
}

const timerOf = (ordinal: number, deadline: number): Offer => ({
  kind: "timer",
  ordinal,
  time: deadline,
  sequence: Number.MAX_SAFE_INTEGER,
});

/**
 * The end of a group of children, and where their results stand. It is placed where the last of them ended. A group that fails fast is over where
 * the first failure stands, and has no other results: how the siblings end is a matter of chance.
 */
function endOfGroup(fold: Fold, run: LiveRun, wait: Extract<Wait, { kind: "children" }>): Offer {
  const { origin } = run;
  const { lap } = run.flow!;
  const { ordinal, task, size } = wait;
  const ends: (ChildEnd | null)[] = [];
  let last = { seq: 0, at: 0, place: -1 };
  let failed: typeof last | undefined;
  for (let place = 0; place < size; place++) {
    const key = keyOf(task, childIdOf({ origin, lap, ordinal, place }));
    const child = fold.finished.get(key);
    ends.push(child === undefined ? null : endOfChild(fold, child));
    if (child === undefined) continue;
    const { seq, at, kind } = child;
    if (seq > last.seq) last = { seq, at, place };
    if (kind !== "completed" && (failed === undefined || seq < failed.seq)) failed = { seq, at, place };
  }
  if (wait.failFast !== true || failed === undefined)
    return { kind: "children", ordinal, time: last.at, sequence: last.seq, ends };
  const onlyFailed = ends.map((end, place) => (place === failed.place ? end : null));
  return { kind: "children", ordinal, time: failed.at, sequence: failed.seq, ends: onlyFailed };
}

const endOfChild = (
  { pinned }: Fold,
  child: { key: string; seq: number; index: number; entrySeq: number },
): ChildEnd => (pinned.has(child.key) ? { seq: child.entrySeq, index: -1 } : { seq: child.seq, index: child.index });
