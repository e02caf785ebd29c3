// Signals in the log, for a durable run that is not parked.
import { nextFromLeader } from "../../nats/stored-message.ts";
import { signalData } from "../../wire/signal-data.ts";
import type { SignalSource, StoredSignal } from "./awake-signals.ts";
import type { ChildrenParts } from "./stored-children.ts";

export class StoredSignals implements SignalSource {
  readonly #parts: Pick<ChildrenParts, "link" | "subjects">;

  constructor(parts: Pick<ChildrenParts, "link" | "subjects">) {
    this.#parts = parts;
  }

  watch(key: string, onSignal: () => void): () => void {
    const { link, subjects } = this.#parts;
    const callback = (error: Error | null) => {
      if (error === null) onSignal();
    };
    const subscription = link.nc.subscribe(subjects.signalsOf(key), { callback });
    return () => subscription.unsubscribe();
  }

  async next(key: string, name: string, after: number): Promise<StoredSignal | undefined> {
    const { link, subjects } = this.#parts;
    const found = await nextFromLeader(link, subjects.stream, subjects.signalsOf(key, name), after + 1);
    return found && { sequence: found.seq, time: found.at ?? 0, data: JSON.stringify(signalData(found.data)) ?? "" };
  }
}
