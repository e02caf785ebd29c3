// Leftovers of durable runs in the store. A removal that fails is not retried: the next sweep finds the leftover again.
import { keyOf } from "../domain/run.ts";
import type { Leader } from "../leader/leader.ts";
import { purgeSubject, subjectsIn } from "../nats/stream-api.ts";

/** Most items per event, which bounds a step of the scheduler. */
const toldAtOnce = 1_000;

export async function purgeJournal(
  { link, subjects, log }: Leader,
  { key, origin }: { readonly key: string; readonly origin: number },
): Promise<void> {
  try {
    await purgeSubject(link, subjects.journalStream, subjects.journal(key, origin));
  } catch (error) {
    log.debug("a journal could not be purged", { run: key, error });
  }
}

/** Tells the scheduler which signals and journals there are. */
export async function sweep(leader: Leader): Promise<void> {
  const { link, subjects, log, term } = leader;
  try {
    for await (const names of subjectsIn(link, subjects.stream, subjects.signals, toldAtOnce)) {
      const signals = names.map((subject) => subjects.parseSignal(subject));
      if (!term.isCurrent) return;
      const named = signals.map(({ task, id, name }) => ({ key: keyOf(task, id), name }));
      leader.handle({ type: "swept", signals: named, journals: [] });
    }
    for await (const names of subjectsIn(link, subjects.journalStream, subjects.journals, toldAtOnce)) {
      const journals = names.map((subject) => subjects.parseJournal(subject));
      if (!term.isCurrent) return;
      leader.handle({ type: "swept", signals: [], journals });
    }
  } catch (error) {
    log.debug("signals and journals that nobody needs could not be looked for", { error });
  }
}
