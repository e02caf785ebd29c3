// What the engine itself writes to the log: lost, cancelled and failed outcomes, retention marks, compacted entries.
import { groupsBySize } from "../collections/groups.ts";
import { isFinal, splitKey } from "../domain/run.ts";
import type { Leader } from "../leader/leader.ts";
import type { Term } from "../leader/term.ts";
import type { CompactCommand, CompactedRun, EngineOutcome } from "../matching/commands.ts";
import { encodeCompactedBundle } from "../wire/bundle-entry.ts";
import { jsonBytes, noBytes } from "../wire/bytes.ts";
import { leanDetails, leanEntries } from "../wire/lean-story.ts";
import { encodeOutcomeEntry, encodeOutcomeFrame } from "../wire/outcome-entry.ts";
import { waiterOf } from "../wire/result-inbox.ts";
import { encodeRunEntry } from "../wire/run-entry.ts";
import { engineWriter } from "../wire/subjects.ts";
import type { Payloads } from "./payloads.ts";

/** Size of an entry's headers. */
const spareBytes = 256;
/** How many outcomes' inputs are read, and held in memory, at the same time. */
const framedAtOnce = 256;

export class Appender {
  readonly #leader: Leader;
  readonly #payloads: Payloads;

  constructor(leader: Leader, payloads: Payloads) {
    this.#leader = leader;
    this.#payloads = payloads;
  }

  /**
   * Appends outcomes in as few entries as their sizes and waiters allow, until all are stored or the term is over; resolves with the
   * sequence of the last entry. Nothing is sent unless this engine's own clock says that it holds the lease.
   *
   * An entry keeps its subject, which has its number, in every retry, so it is stored only once. Only retention marks depend on this: `lost`,
   * `retry` and `returned` name the turn that they end, so a copy changes nothing, and of several final outcomes the first one counts.
   */
  async append(term: Term, outcomes: readonly EngineOutcome[]): Promise<number> {
    let last = 0;
    for (let from = 0; from < outcomes.length && term.isCurrent; from += framedAtOnce) {
      const some = outcomes.slice(from, from + framedAtOnce);
      const frames = await Promise.all(some.map((outcome) => this.#frame(term, outcome)));
      const byWaiter = Map.groupBy(frames, (_, i) => waiterOf(some[i]!.inbox));
      const appends: Promise<number>[] = [];
      for (const [waiter, framesOfWaiter] of byWaiter)
        for (const group of groupsBySize(framesOfWaiter, this.#leader.link.maxPayload / 4, (frame) => frame.length))
          appends.push(this.#appendEntry(term, waiter, encodeOutcomeEntry("engine", group)));
      last = Math.max(last, ...(await Promise.all(appends)));
    }
    return last;
  }

  async #appendEntry(term: Term, waiter: string, entry: Uint8Array): Promise<number> {
    const { publisher, subjects, log, holdsLease } = this.#leader;
    const subject = subjects.outcome("engine", engineWriter(term.epoch), term.nextEntry(), waiter);
    // The fold accepts every cancellation by an engine. An engine that was suspended and wakes up must therefore append nothing: the next leader
    // knows better. Retries end with the term, because an expired lease is never renewed.
    const tried = term.untilStored("an outcome of the engine", () =>
      publisher.append(subject, entry, 0, { maySend: holdsLease }),
    );
    const result = await tried.catch((error: unknown) => {
      log.error("some outcomes of the engine cannot be stored; the others are", { subject, error });
      return undefined;
    });
    // A conflict means that an earlier try was stored: nobody else writes under this epoch.
    if (result?.ok === false) log.debug("an outcome entry of the engine was stored already", { subject });
    return result === undefined ? 0 : result.ok ? result.seq : (result.lastSeq ?? 0);
  }

  /**
   * Moves an entry to the end of the log in compacted form; false if its subject has a newer entry by now, or if the content is gone.
   *
   * Not retried here: housekeeping asks again if the new entry is not folded, with what the fold knows by then.
   */
  async compact({ task, name, isBundle, expectSeq, runs }: CompactCommand): Promise<boolean> {
    const { publisher, subjects, holdsLease, link } = this.#leader;
    const inputs = await Promise.all(runs.map((run) => this.#contentOf(run)));
    if (inputs.some((input) => input === undefined)) return false;
    const compacted = runs.map(({ key, entry }, i) => ({
      id: splitKey(key).id,
      entry: { ...entry, input: inputs[i]! },
    }));
    const subject = isBundle ? subjects.bundle(task, name) : subjects.run(task, compacted[0]!.id);
    for (const lean of leanEntries) {
      const leaner = compacted.map(({ id, entry }) => ({ id, entry: lean(entry) }));
      const entry = isBundle ? encodeCompactedBundle(leaner) : encodeRunEntry(leaner[0]!.entry);
      if (this.#fits(entry)) return (await publisher.append(subject, entry, expectSeq, { maySend: holdsLease })).ok;
    }
    throw new Error(`the rest of ${name} does not fit into an entry of ${link.maxPayload} bytes`);
  }

  /** The part of a run's entry that the fold does not keep: its input, or the result of a finished run. */
  #contentOf({ key, resultAt, inputSeq }: CompactedRun): Promise<Uint8Array | undefined> | Uint8Array {
    if (resultAt !== undefined) return this.#payloads.readResult(key, resultAt);
    return inputSeq === 0 ? noBytes : this.#payloads.read(key, inputSeq);
  }

  /**
   * A final outcome tells the whole story of its run, so it repeats the input, unless the input is gone or cannot be read. Never
   * fails: a run whose outcome cannot be stored would stay in `ending` forever.
   */
  async #frame(term: Term, outcome: EngineOutcome): Promise<Uint8Array> {
    const input = await this.#inputOf(term, outcome);
    let story = noBytes;
    for (const detail of leanDetails(outcome.kind, outcome.detail)) {
      try {
        story = jsonBytes(detail);
        const frame = frameOf(outcome, story, input);
        if (this.#fits(frame)) return frame;
      } catch (error) {
        this.#leader.log.error("the outcome of a run cannot be encoded", { run: outcome.key, error });
      }
    }
    return frameOf(outcome, story, undefined);
  }

  /** Read at each call: after a reconnect, the server may accept smaller messages. */
  #fits(bytes: Uint8Array): boolean {
    return bytes.length + spareBytes <= this.#leader.link.maxPayload;
  }

  async #inputOf(term: Term, { kind, key, inputSeq }: EngineOutcome): Promise<Uint8Array | undefined> {
    if (!isFinal(kind) || inputSeq === 0) return noBytes;
    const { log } = this.#leader;
    try {
      return await term.untilStored(`the end of ${key}`, () => this.#payloads.read(key, inputSeq));
    } catch (error) {
      log.warn("the input of a run cannot be read; its outcome is stored without it", { run: key, error });
      return undefined;
    }
  }
}

/** An undefined `input` is one that is gone; a run without input has no bytes. */
const frameOf = (outcome: EngineOutcome, detail: Uint8Array, input: Uint8Array | undefined): Uint8Array =>
  encodeOutcomeFrame({
    ...outcome,
    detail,
    input: input ?? noBytes,
    inputIsGone: input === undefined,
    output: noBytes,
  });
