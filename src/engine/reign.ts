// What an engine does in one term: it takes over, looks after its namespace, and hands over. A reign exists only while the lease is held, and
// nothing of it outlasts the term.
import * as Cause from "effect/Cause";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Schedule from "effect/Schedule";
import type * as Scope from "effect/Scope";
import type { NamespaceTooNew } from "../domain/errors.ts";
import { openTerm, polling } from "../leader/term.ts";
import { LeaderVoice } from "../nats/leader-watch.ts";
import { type Claim, type Lease, leaseTiming } from "../nats/lease.ts";
import type { NatsLink } from "../nats/link.ts";
import { answersWithinMs, raiseFormat } from "../nats/streams.ts";
import { handOverOf } from "../presence/takeover.ts";
import { Requests } from "../requests/requests.ts";
import { atMostEvery } from "../runtime/at-most-every.ts";
import type { HandOver } from "../wire/hand-over.ts";
import { encodeMessage } from "../wire/messages.ts";
import type { Admission } from "./admission.ts";
import type { Core } from "./core.ts";
import { pingAll, pingEveryMs } from "./pinger.ts";

export interface ReignParts {
  readonly core: Core;
  readonly lease: Lease;
  readonly leaseLink: NatsLink;
  readonly admission: Admission;
  /** The name of this process, as its workers give it when they register. */
  readonly process: string | undefined;
  /** Begins to fold the log, unless this engine has begun already. */
  readonly follow: Effect.Effect<void>;
  /** Called once this engine has taken over. */
  readonly onLeading: () => void;
}

const retryPause = Schedule.min([Schedule.exponential(250, 1.5), Schedule.spaced(5_000)]);
const firstAnswerWithinMs = 250;
const tellAfterMs = 2_000;
const tellEveryMs = 10_000;
const lookEveryMs = 1_000;
const keepWithinMs = 1_000;

/** What an engine does while it leads. Fails: {@link NamespaceTooNew} if no engine of this version can lead */
type Leading = Effect.Effect<void, NamespaceTooNew, Scope.Scope>;

/**
 * One term. It closes what it has opened, newest first: periodic work and answers stop, the state on which it led is
 * dropped, pending writes are given up, the lease is released, and standbys are told that it is free.
 *
 * Ends when the lease is lost, or when the state on which it led is discarded.
 */
export const reign = (parts: ReignParts, claim: Claim): Leading =>
  Effect.gen(function* () {
    const { core, leaseLink } = parts;
    const voice = new LeaderVoice(leaseLink, core.subjects, core.engine, core.log);
    let handOver: HandOver = {};
    yield* Effect.addFinalizer((exit) => {
      if (Exit.isSuccess(exit)) return Effect.void; // the lease is lost, or the state is gone: the lease expires by itself
      return giveUpLease(parts, voice, isLeaving(exit) ? handOver : {});
    });
    const term = yield* openTerm(claim.epoch, core.log);
    core.term = term;
    const requests = new Requests(core);
    const stepDown = () => {
      const { leadership } = core.state;
      if (leadership !== undefined) handOver = handOverOf(leadership.matching);
      core.handle({ type: "stepDown" });
    };
    yield* Effect.addFinalizer(() => Effect.sync(stepDown));
    yield* Effect.addFinalizer((exit) => (isLeaving(exit) ? recordsKept(core) : Effect.void));
    yield* voice.alive;
    const leading = Effect.flatMap(takeOver(parts, claim, requests), () => lookAfter(parts, requests));
    yield* Effect.raceAllFirst([Effect.andThen(leading, Effect.never), untilLost(parts, requests), term.ended]);
  });

/** Folds the log to its end, announces that this engine leads, and lets workers register before it assigns. */
const takeOver = (parts: ReignParts, claim: Claim, requests: Requests): Leading =>
  Effect.gen(function* () {
    const { core, process, follow, onLeading } = parts;
    const { epoch } = claim;
    yield* raiseNamespace(parts);
    yield* follow;
    const { known, tried, briefing } = yield* untilDone(core, () => readAll(core, requests));
    yield* requests.open;
    core.handle({ type: "briefed", briefing });
    core.handle({ type: "lead", ...claim, ...known, ...tried, process });
    core.link.nc.publish(core.subjects.epoch, encodeMessage({ epoch, engine: core.engine }));
    core.log.debug("engine leads", { engine: core.engine, epoch, live: core.state.live.size });
    onLeading();
  });

/** Raises the format of the namespace, so that engines of an older version can no longer lead. */
const raiseNamespace = ({ core, lease }: ReignParts): Effect.Effect<void, NamespaceTooNew> => {
  const { link, subjects, log } = core;
  // A server that has just started may lose such requests while workers wait, so the first ones are repeated soon.
  let withinMs = firstAnswerWithinMs / 2;
  const raised = untilDone(core, () => {
    withinMs = Math.min(withinMs * 2, answersWithinMs);
    return raiseFormat(link, subjects, log, withinMs);
  });
  return Effect.flatMap(raised, (refusal) =>
    refusal === undefined ? Effect.sync(() => lease.raised()) : Effect.fail(refusal),
  );
};

/** Reads the log to its end, and what is stored beside it. */
async function readAll(core: Core, requests: Requests) {
  await core.progress.catchUp();
  await core.checkFloor(); // may begin a rebuild
  await core.progress.catchUp(); // a rebuild must be complete before this engine leads
  const measured = core.link.clock.measure(); // the measured clock decides what is due
  const [kept] = await Promise.all([core.bucket.read(), requests.load(), measured]);
  return kept;
}

/** Retries until it succeeds. Logs why it does not, so that whoever waits for an engine can read why none leads. */
function untilDone<T>({ log }: Core, deed: () => Promise<T>): Effect.Effect<T> {
  const since = performance.now();
  const tell = atMostEvery(tellEveryMs, (error: unknown) => {
    const forS = Math.round((performance.now() - since) / 1_000);
    log.error("this engine holds the lease and cannot take over yet; retrying", { forS, error });
  });
  return Effect.tryPromise({ try: deed, catch: (error) => error }).pipe(
    Effect.tapError((error) => Effect.sync(() => performance.now() - since > tellAfterMs && tell(error))),
    Effect.retry({ schedule: retryPause }),
    Effect.orDie,
  );
}

/** Pings workers, watches the space of the store, and erases what is left of erased runs, for as long as the scope is open. */
const lookAfter = ({ core, admission }: ReignParts, requests: Requests) =>
  Effect.gen(function* () {
    admission.begin();
    yield* polling(pingEveryMs, core.log, () => pingAll(core));
    yield* polling(lookEveryMs, core.log, () => admission.look());
    yield* polling(lookEveryMs, core.log, () => requests.eraseRemains()); // apart from the others, because it may take minutes
  });

/** Renews the lease, also while this engine is still taking over; ends when this engine no longer holds it. */
function untilLost({ core, lease }: ReignParts, requests: Requests): Effect.Effect<void> {
  const renew = async () => {
    const isOurs = await lease.renew(performance.now());
    if (!core.state.isLeading) return isOurs;
    if (isOurs) requests.rememberWorkers();
    else core.log.warn("engine lost its lease and is standing by", { engine: core.engine });
    return isOurs;
  };
  const renewal = Effect.delay(Effect.promise(renew), leaseTiming.renewMs);
  return Effect.asVoid(Effect.repeat(renewal, { while: (isOurs) => isOurs }));
}

const isLeaving = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause);

/** Waits a moment until the records say which workers have left: the next leader waits for every worker that it believes to be there. */
const recordsKept = ({ bucket }: Core): Effect.Effect<unknown> =>
  Effect.timeoutOption(
    Effect.promise(() => bucket.kept.settled()),
    keepWithinMs,
  );

/** Releases the lease, so that a standby leads at once. An engine that leaves in order hands over its ledger in the lease. */
const giveUpLease = ({ core, lease, leaseLink }: ReignParts, voice: LeaderVoice, left: HandOver): Effect.Effect<void> =>
  Effect.tryPromise(async () => {
    if (!leaseLink.isConnected()) return;
    await lease.release(left);
    voice.sayFree();
    core.log.debug("engine handed over", { engine: core.engine });
  }).pipe(Effect.ignore);
