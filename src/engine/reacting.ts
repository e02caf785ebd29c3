// Creates the runs of reactions under an id that follows from their cause, so that a second try finds the first.
import { MalformedRecord, PayloadTooLarge } from "../domain/errors.ts";
import type { FailureCause, Reaction, TickCause } from "../domain/reaction.ts";
import type { Leader } from "../leader/leader.ts";
import { type NewRun, runOfFailure, runOfTick } from "../reactions/new-run.ts";
import { jsonBytes, jsonOf } from "../wire/bytes.ts";
import { decodeOutcomeEntry } from "../wire/outcome-entry.ts";
import { encodeRunEntry, plainEntry } from "../wire/run-entry.ts";
import type { FinalDetail } from "../wire/story.ts";
import type { Payloads } from "./payloads.ts";

const lost = ["error", "its outcome was deleted from the log"] as const;

export class Reacting {
  readonly #leader: Leader;
  readonly #payloads: Pick<Payloads, "ofFinished">;

  constructor(leader: Leader, payloads: Pick<Payloads, "ofFinished">) {
    this.#leader = leader;
    this.#payloads = payloads;
  }

  /**
   * One that exists is as good. Nothing is sent without the lease: the next leader may have created the run and forgotten it, and a copy of
   * an earlier try would create it for the second time. Fails as the store and the publisher do: safe to repeat
   */
  async create(reaction: Reaction): Promise<void> {
    const { cause } = reaction;
    if (cause.type === "tick") await this.#tick(reaction, cause);
    else await this.#failure(reaction, cause);
  }

  async #tick(reaction: Reaction, cause: TickCause): Promise<void> {
    await this.#append(reaction, runOfTick(cause, this.#leader.now()));
  }

  async #failure(reaction: Reaction, { key, ...first }: FailureCause): Promise<void> {
    const { store, state, log } = this.#leader;
    const run = state.finished.get(key);
    const { seq, index } = run?.kind === "failed" && run.seq > first.seq ? run : first; // it may have been moved
    const stored = await store.read(seq);
    const outcome = stored && decodeOutcomeEntry(stored.data).outcomes[index];
    if (outcome?.key !== key || outcome.kind !== "failed") {
      const [level, why] = run?.isErased === true ? (["info", "the run was erased"] as const) : lost;
      log[level](`a failure is not handled: ${why}`, { run: key, seq });
      return;
    }
    const failed = { ...(outcome.detail as FinalDetail), at: outcome.at };
    try {
      const input = await this.#payloads.ofFinished(outcome);
      await this.#append(reaction, runOfFailure(key, failed, input && jsonOf(input)));
    } catch (problem) {
      if (!(problem instanceof PayloadTooLarge || problem instanceof MalformedRecord || problem instanceof RangeError))
        throw problem;
      // The input fits into a message, but not with the story of its failure; or it is not JSON, or nested too deeply to be serialized again.
      const short = { ...failed, attempts: failed.attempts.slice(-1) };
      await this.#append(reaction, runOfFailure(key, short, undefined));
    }
  }

  async #append({ task, id }: Reaction, { createdAt, scheduleTimeoutMs, metadata, input }: NewRun): Promise<void> {
    const { publisher, subjects, holdsLease } = this.#leader;
    const entry = encodeRunEntry({
      ...{ ...plainEntry, createdAt, scheduleTimeoutMs, extra: { metadata } },
      input: jsonBytes(input),
    });
    await publisher.append(subjects.run(task, id), entry, 0, undefined, holdsLease);
  }
}
