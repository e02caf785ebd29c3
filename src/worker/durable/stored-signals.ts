// Signals in the log, for a durable run that is not parked.
import { nextFromLeader } from "../../nats/stored-message.ts";
import { openSignal } from "../../sealing/sealed.ts";
import { shallowJsonOf } from "../../wire/json-depth.ts";
import type { SignalSource, StoredSignal } from "./signals.ts";
import type { ChildrenParts } from "./stored-children.ts";

type SignalsParts = Pick<ChildrenParts, "link" | "subjects" | "vault">;

export class StoredSignals implements SignalSource {
  readonly #parts: SignalsParts;

  constructor(parts: SignalsParts) {
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
    const { link, subjects, vault } = this.#parts;
    const found = await nextFromLeader(link, subjects.stream, subjects.signalsOf(key, name), after + 1);
    if (found === undefined) return undefined;
    const { seq: sequence, at: time = 0, data: stored } = found;
    const data = openSignal(vault, key, name, shallowJsonOf(stored));
    return { sequence, time, data: JSON.stringify(data instanceof Promise ? await data : data) ?? "" };
  }
}
