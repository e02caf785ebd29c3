// Leftovers of durable runs in the store. Each is removed once: what fails is found again by the next sweep.
import type { Leader } from "../leader/leader.ts";
import { purgeSubject, subjectsIn } from "../nats/stored-subjects.ts";

/** Most items per event, which bounds a step of the scheduler. */
const toldAtOnce = 1_000;

export class Leftovers {
  readonly #leader: Leader;

  constructor(leader: Leader) {
    this.#leader = leader;
  }

  async purge({ key, origin }: { readonly key: string; readonly origin: number }): Promise<void> {
    const { link, subjects, log } = this.#leader;
    try {
      await purgeSubject(link, subjects.journalStream, subjects.journal(key, origin));
    } catch (error) {
      log.debug("a journal could not be purged", { run: key, error });
    }
  }

  async sweep(): Promise<void> {
    const { link, subjects, log, term } = this.#leader;
    try {
      for await (const names of subjectsIn(link, subjects.stream, subjects.signals, toldAtOnce)) {
        const signals = names.map((subject) => subjects.parseSignal(subject));
        if (!term.isCurrent) return;
        this.#leader.handle({
          type: "swept",
          signals: signals.map(({ task, id, name }) => ({ key: `${task}/${id}`, name })),
          journals: [],
        });
      }
      for await (const names of subjectsIn(link, subjects.journalStream, subjects.journals, toldAtOnce)) {
        const journals = names.map((subject) => subjects.parseJournal(subject));
        if (!term.isCurrent) return;
        this.#leader.handle({ type: "swept", signals: [], journals });
      }
    } catch (error) {
      log.debug("signals and journals that nobody needs could not be looked for", { error });
    }
  }
}
