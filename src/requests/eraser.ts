// Erases finished runs: everything in the streams goes, except a stone in the log that says that the run existed. An outcome shares its entry
// with those of other runs, so the entry is replaced by one without it; whoever folds that finds the others there. Every step
// is safe to repeat, and a run counts as erased once all of them are done.
import type { Fold } from "../fold/fold.ts";
import {
  isCovered,
  isEntryGone,
  isErasable,
  isGivenUp,
  isMarking,
  isMovable,
  isOf,
  type Origins,
  withoutErased,
} from "../housekeeping/erasure.ts";
import type { House } from "../housekeeping/house.ts";
import { isOfDurable } from "../housekeeping/sweep.ts";
import type { Leader } from "../leader/leader.ts";
import type { Term } from "../leader/term.ts";
import { JournalStore } from "../nats/journal.ts";
import { readStored } from "../nats/read-stored.ts";
import { purgeSubject } from "../nats/stream-api.ts";
import { decodeOutcomeEntry, encodeOutcomeEntry } from "../wire/outcome-entry.ts";
import type { EraseReply } from "../wire/verbs.ts";

/** An outcome entry, as it is now. */
interface Stored {
  readonly seq: number;
  readonly subject: string;
  readonly data: Uint8Array;
  readonly at: number;
}

/** Entries are purged and moved by others as well. */
const tries = 10;
const pauseMs = 100;
const longestMarkMs = 30_000;
const readWithinMs = 60_000;
/** Until then somebody may come late who would start from the beginning, finding no journal. */
const lateMs = 60_000;

const unmoved = "the runs beside an erased one could not be moved; ask again";

type IsDone = (fold: Fold, key: string) => boolean;

export class Eraser {
  readonly #leader: Leader;
  readonly #journals: JournalStore;
  /** What it has begun by then ends with it: another one goes on. */
  readonly #term: Term;
  #last: Promise<unknown> = Promise.resolve();
  #open = 0;

  constructor(leader: Leader) {
    this.#leader = leader;
    this.#term = leader.term;
    this.#journals = new JournalStore(leader.link, leader.subjects, leader);
  }

  /** Resolves when nothing of the finished ones is left. One call at a time. Fails: StoreUnavailable, PermissionDenied, Error when it could not be done */
  erase(keys: readonly string[]): Promise<EraseReply> {
    this.#open++;
    const erased = this.#last.then(() => this.#erase(keys)).finally(() => this.#open--);
    this.#last = erased.catch(() => {});
    return erased;
  }

  /** An earlier leader may have died halfway. */
  resume(): void {
    const leader = this.#leader;
    const begun = Array.from(leader.state.finished.values()).filter(({ isErased }) => isErased);
    if (begun.length === 0) return;
    leader.handle({ type: "erase", keys: begun.map(({ key }) => key) });
    void this.eraseRemains();
  }

  /** What somebody has said of erased runs since: a worker that was cut off reports late. Again and again until nothing is left. */
  async eraseRemains(): Promise<void> {
    const leader = this.#leader;
    const remains = leader.state.leadership?.house.remains;
    if (remains === undefined || remains.size === 0 || this.#open > 0) return;
    await this.erase([...remains]).catch((error: unknown) => {
      if (leader.state.isLeading) leader.log.warn("remains of erased runs are still there; trying again", { error });
    });
  }

  async #erase(keys: readonly string[]): Promise<EraseReply> {
    const leader = this.#leader;
    await leader.progress.catchUp();
    const { live, finished, leadership } = leader.state;
    const ended = keys.filter((key) => leadership !== undefined && isErasable(leadership.house, finished.get(key)));
    const origins: Origins = new Map(ended.map((key) => [key, finished.get(key)!.origin]));
    await leader.handleFully({ type: "erase", keys: ended });
    if (leadership === undefined || ended.some((key) => leader.state.finished.get(key)?.isErased !== true))
      throw new Error("the erasure could not be stored; try again");
    await this.#passMark((house) => !isMarking(house));
    // Entries first: behind its outcomes, a duplicate's entry would look like a new run. A bundle is rewritten without them.
    await this.#untilDone("erase", ended, isEntryGone, "the entry of an erased run could not be removed; try again");
    await this.#eraseOutcomes(origins);
    for (const [key, origin] of origins) await this.#eraseRest(key, origin);
    leader.handle({ type: "erased", keys });
    return {
      erased: ended,
      live: keys.filter((key) => live.has(key) || (finished.has(key) && !origins.has(key))),
      unknown: keys.filter((key) => !live.has(key) && !finished.has(key)),
    };
  }

  /** What is forgotten must not be moved behind the mark that says so. A new mark waits for what is being erased. */
  async #passMark(isPassed: (house: House) => boolean): Promise<void> {
    const leader = this.#leader;
    for (let i = 0; leader.state.leadership !== undefined && !isPassed(leader.state.leadership.house); i++) {
      if (i === longestMarkMs / pauseMs) throw new Error("finished runs are being forgotten; try again");
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    await leader.progress.catchUp();
  }

  async #eraseOutcomes(origins: Origins): Promise<void> {
    for (let i = 0; i < tries; i++) {
      const found = await this.#entriesOf(origins);
      if (found.length === 0) return;
      await this.#leader.progress.catchUp(); // it must know of the turns that end there
      for (const entry of found) await this.#writeWithout(origins, entry);
      await this.#leader.progress.catchUp();
    }
    throw new Error("the outcomes of an erased run move faster than they can be erased; try again");
  }

  /** In its place, so that there is always exactly one. Not at all if another is there by now. */
  async #writeWithout(origins: Origins, { seq, subject, data, at }: Stored): Promise<void> {
    const leader = this.#leader;
    const { by, outcomes, moved } = decodeOutcomeEntry(data);
    const { turns, finals, rest, givesUp } = withoutErased(leader.state.fold, origins, outcomes);
    // A mark counts only from an engine, and who wrote an entry is in its subject.
    const isMark = (leader.subjects.parseOutcome(subject).by ?? by) === "engine";
    if (isMark) await this.#passMark((house) => isGivenUp(house, givesUp));
    await this.#untilDone("cover", turns, (fold, key) => isCovered(fold, key, seq), unmoved);
    await this.#untilDone("cover", finals, (fold, key) => isMovable(fold, key, seq), unmoved);
    const kept = rest.map(({ frame }) => frame);
    if (kept.length === 0) await leader.store.purge(subject, seq + 1);
    else
      await leader.publisher.append(
        subject,
        encodeOutcomeEntry(by, kept, { places: [...(moved?.places ?? []), seq], at: moved?.at ?? at }),
        seq,
        { maySend: () => this.#term.isCurrent && leader.holdsLease() }, // two that erase beside each other would move what the other one has just erased
      );
  }

  /** Gives the scheduler the event until its work is done for all of them. */
  async #untilDone(type: "erase" | "cover", keys: readonly string[], isDone: IsDone, otherwise: string): Promise<void> {
    const leader = this.#leader;
    for (let i = 0; i < tries; i++) {
      const left = keys.filter((key) => !isDone(leader.state.fold, key));
      if (left.length === 0) return;
      if (i > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
      await leader.handleFully({ type, keys: left });
      await leader.progress.catchUp();
    }
    throw new Error(otherwise);
  }

  /** All outcome entries about these runs; none precedes its run. */
  async #entriesOf(origins: Origins): Promise<readonly Stored[]> {
    if (origins.size === 0) return [];
    const { link, subjects } = this.#leader;
    const found: Stored[] = [];
    await readStored(link, {
      ...{ stream: subjects.stream, filter: subjects.outcomes, withinMs: readWithinMs },
      fromSeq: Math.floor([...origins.values()].reduce((first, origin) => Math.min(first, origin))),
      onMessage: (seq, subject, data, at) => {
        if (saysOf(origins, data)) found.push({ seq, subject, data: data.slice(), at });
      },
    });
    return found;
  }

  /** A stream that was never needed does not exist. What comes later may be for the next run with its id. */
  async #eraseRest(key: string, origin: number): Promise<void> {
    const { link, subjects, state, store } = this.#leader;
    const purge = (stream: string, filter: string) => purgeSubject(link, stream, filter, { mayBeMissing: true });
    await purge(subjects.logsStream, subjects.transcript(key));
    if (state.finished.get(key)?.origin === origin) await store.purge(subjects.signalsOf(key), state.position + 1);
    const now = this.#leader.now();
    const endedMs = now - (state.finished.get(key)?.at ?? now); // if it was forgotten meanwhile, its journal goes with that
    if (endedMs > lateMs || !isOfDurable(state.fold, key))
      await purge(subjects.journalStream, subjects.journal(key, origin));
    else await this.#journals.close({ key, origin }, now);
  }
}

function saysOf(origins: Origins, data: Uint8Array): boolean {
  try {
    return decodeOutcomeEntry(data).outcomes.some((outcome) => isOf(origins, outcome));
  } catch {
    return false; // nobody can read it
  }
}
