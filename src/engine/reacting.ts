// Creates the runs of reactions under an id that follows from their cause, so that a second try finds the first.
import { MalformedRecord, PayloadTooLarge } from "../domain/errors.ts";
import type { FailureCause, Reaction } from "../domain/reaction.ts";
import type { Leader } from "../leader/leader.ts";
import { inputOfFinished } from "../nats/stored-inputs.ts";
import { type NewRun, runOfFailure, runOfTick } from "../reactions/new-run.ts";
import { jsonBytes, jsonOf } from "../wire/bytes.ts";
import { decodeOutcomeEntry } from "../wire/outcome-entry.ts";
import { encodeRunEntry, plainEntry } from "../wire/run-entry.ts";
import type { FinalDetail } from "../wire/story.ts";

/**
 * Creates the run of a reaction, or finds that it exists. Nothing is sent without the lease: the next leader may have created the run and
 * forgotten it by now, and a late message would create it again. Fails as the store and the publisher do; safe to repeat
 */
export async function createRun(leader: Leader, reaction: Reaction): Promise<void> {
  const { cause } = reaction;
  if (cause.type === "tick") await append(leader, reaction, runOfTick(cause, leader.now()));
  else await createForFailure(leader, reaction, cause);
}

async function createForFailure(leader: Leader, reaction: Reaction, { key, ...first }: FailureCause): Promise<void> {
  const { store, state, log } = leader;
  const run = state.finished.get(key);
  const { seq, index } = run?.kind === "failed" && run.seq > first.seq ? run : first; // compaction may have moved the outcome
  const stored = await store.read(seq);
  const outcome = stored && decodeOutcomeEntry(stored.data).outcomes[index];
  if (outcome?.key !== key || outcome.kind !== "failed") {
    if (run?.isErased) log.info("a failure is not handled: the run was erased", { run: key, seq });
    else log.error("a failure is not handled: its outcome was deleted from the log", { run: key, seq });
    return;
  }
  const failed = { ...(outcome.detail as FinalDetail), at: outcome.at };
  try {
    const input = await inputOfFinished(store, leader.subjects, outcome);
    await append(leader, reaction, runOfFailure(key, failed, input && jsonOf(input)));
  } catch (problem) {
    if (!(problem instanceof PayloadTooLarge || problem instanceof MalformedRecord || problem instanceof RangeError))
      throw problem;
    // The input fits into a message, but not together with the story of the failure; or it is not JSON, or nested too deeply to serialize.
    const short = { ...failed, attempts: failed.attempts.slice(-1) };
    await append(leader, reaction, runOfFailure(key, short, undefined));
  }
}

async function append({ publisher, subjects, holdsLease }: Leader, { task, id }: Reaction, run: NewRun): Promise<void> {
  const { createdAt, scheduleTimeoutMs, metadata } = run;
  const entry = { ...plainEntry, createdAt, scheduleTimeoutMs, extra: { metadata }, input: jsonBytes(run.input) };
  await publisher.append(subjects.run(task, id), encodeRunEntry(entry), 0, { maySend: holdsLease });
}
