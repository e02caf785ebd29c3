// The eraser removes finished runs from all streams, except for a stone in the log that says that the run existed. An outcome shares its entry
// with outcomes of other runs, so the entry is replaced by one that has only the others. erasing.ts decides what is done and in which order; a
// run counts as erased once all of it is done.
import { isOf, type Origins } from "../housekeeping/erasure.ts";
import { isOfDurable } from "../housekeeping/sweep.ts";
import type { Leader } from "../leader/leader.ts";
import type { Term } from "../leader/term.ts";
import { JournalStore } from "../nats/journal.ts";
import { readStored } from "../nats/read-stored.ts";
import { purgeSubject } from "../nats/stream-api.ts";
import { decodeOutcomeEntry, encodeOutcomeEntry, type OutcomeEntry } from "../wire/outcome-entry.ts";
import type { EraseReply } from "../wire/verbs.ts";
import { type EraseDeed, Erasing } from "./erasing.ts";

/** An outcome entry as it is stored now. */
interface Stored extends OutcomeEntry {
  readonly seq: number;
  readonly subject: string;
  readonly at: number;
  readonly isByEngine: boolean;
}

const pauseMs = 100;
const readWithinMs = 60_000;
/** How long after a durable run's end a late attempt may come. If it found no journal, it would start from the beginning. Units: milliseconds */
const lateMs = 60_000;

export class Eraser {
  readonly #leader: Leader;
  readonly #journals: JournalStore;
  /** An erase that is under way ends with this term; the next leader goes on with it. */
  readonly #term: Term;
  #last: Promise<unknown> = Promise.resolve();
  #open = 0;

  constructor(leader: Leader) {
    this.#leader = leader;
    this.#term = leader.term;
    this.#journals = new JournalStore(leader.link, leader.subjects, leader);
  }

  /** Resolves when nothing is left of the finished runs. One call is performed at a time. Fails: StoreUnavailable, PermissionDenied, Error */
  erase(keys: readonly string[]): Promise<EraseReply> {
    this.#open++;
    const erased = this.#last.then(() => this.#erase(keys)).finally(() => this.#open--);
    this.#last = erased.catch(() => {});
    return erased;
  }

  /** Erases what earlier leaders left of erased runs, and what is said of such runs later, as by a worker that was cut off. Called again and again. */
  async eraseRemains(): Promise<void> {
    const leader = this.#leader;
    const remains = leader.state.leadership?.house.remains;
    if (remains === undefined || remains.size === 0 || this.#open > 0) return;
    await this.erase([...remains]).catch((error: unknown) => {
      if (leader.state.isLeading) leader.log.warn("remains of erased runs are still there; trying again", { error });
    });
  }

  async #erase(keys: readonly string[]): Promise<EraseReply> {
    const { leadership } = this.#leader.state;
    if (leadership === undefined) throw new Error("this engine does not lead yet; try again");
    const deeds = new Erasing<Stored>(leadership.house).erase(keys);
    let next = deeds.next();
    while (!next.done) {
      if (!this.#term.isCurrent) throw new Error("this engine no longer leads");
      next = deeds.next(await this.#perform(next.value));
    }
    return next.value;
  }

  async #perform(deed: EraseDeed<Stored>): Promise<readonly Stored[] | undefined> {
    const leader = this.#leader;
    if (deed.type === "fold") {
      if (deed.pauses) await new Promise((resolve) => setTimeout(resolve, pauseMs));
      await leader.progress.catchUp();
    } else if (deed.type === "give") await leader.handleFully(deed.event);
    else if (deed.type === "find") return this.#entriesOf(deed.origins);
    else if (deed.type === "rewrite") await this.#rewrite(deed.entry, deed.rest);
    else await this.#clear(deed.key, deed.origin);
    return undefined;
  }

  async #rewrite({ seq, subject, at, by, moved }: Stored, rest: Stored["outcomes"]): Promise<void> {
    const { publisher, store, holdsLease } = this.#leader;
    if (rest.length === 0) {
      await store.purge(subject, seq + 1);
      return;
    }
    const frames = rest.map(({ frame }) => frame);
    const place = { places: [...(moved?.places ?? []), seq], at: moved?.at ?? at };
    // Only while it leads: of two engines that erase at the same time, one would move what the other has just erased.
    const maySend = () => this.#term.isCurrent && holdsLease();
    await publisher.append(subject, encodeOutcomeEntry(by, frames, place), seq, { maySend });
  }

  /** The outcome entries that say something of these runs; none precedes its run. */
  async #entriesOf(origins: Origins): Promise<readonly Stored[]> {
    const { link, subjects } = this.#leader;
    const found: Stored[] = [];
    await readStored(link, {
      ...{ stream: subjects.stream, filter: subjects.outcomes, withinMs: readWithinMs },
      fromSeq: Math.floor([...origins.values()].reduce((first, origin) => Math.min(first, origin))),
      onMessage: (seq, subject, data, at) => {
        if (!saysOf(origins, data)) return;
        const entry = decodeOutcomeEntry(data.slice());
        const isByEngine = (subjects.parseOutcome(subject).by ?? entry.by) === "engine"; // its subject says who wrote an entry
        found.push({ ...entry, seq, subject, at, isByEngine });
      },
    });
    return found;
  }

  /** Its streams are missing if they were never needed. Later signals stay: they may be for the next run with this id. */
  async #clear(key: string, origin: number): Promise<void> {
    const { link, subjects, state, store } = this.#leader;
    const purge = (stream: string, filter: string) => purgeSubject(link, stream, filter, { mayBeMissing: true });
    await purge(subjects.logsStream, subjects.transcript(key));
    if (state.finished.get(key)?.origin === origin) await store.purge(subjects.signalsOf(key), state.position + 1);
    const now = this.#leader.now();
    const endedMs = now - (state.finished.get(key)?.at ?? now); // a run that is forgotten by now counts as just ended: housekeeping drops its journal
    if (endedMs > lateMs || !isOfDurable(state.fold, key))
      await purge(subjects.journalStream, subjects.journal(key, origin));
    else await this.#journals.close({ key, origin }, now);
  }
}

function saysOf(origins: Origins, data: Uint8Array): boolean {
  try {
    return decodeOutcomeEntry(data).outcomes.some((outcome) => isOf(origins, outcome));
  } catch {
    return false; // nobody can read this entry
  }
}
