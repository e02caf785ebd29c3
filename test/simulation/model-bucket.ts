import { noPauses, type Pauses } from "../../src/domain/pauses.ts";
import type { TaskDeclaration } from "../../src/protocol/messages.ts";
import type { Command, StoredRate } from "../../src/scheduler/commands.ts";
import type { ModelEngine } from "./model-engine.ts";

type StoreRates = Extract<Command, { type: "storeRates" }>;

/** What is stored beside the log: pauses, and rate limits with the leader that wrote them. */
export class ModelBucket {
  pauses: Pauses = noPauses;
  /** What workers declared, by task. */
  readonly definitions = new Map<string, TaskDeclaration>();
  readonly #rates = new Map<string, { readonly rate: StoredRate; readonly epoch: number }>();

  get allRates(): StoredRate[] {
    return [...this.#rates.values()].map(({ rate }) => rate);
  }
  storeRates(engine: ModelEngine, { rates }: StoreRates, now: number): void {
    const { epoch, isLeading } = engine.state;
    if (!isLeading) return;
    const stored = rates.flatMap(({ units, ...rate }) => {
      const { id } = rate;
      const there = this.#rates.get(id);
      if (there !== undefined && there.epoch > epoch) return [];
      this.#rates.set(id, { rate, epoch });
      return [{ id, units }];
    });
    engine.give({ type: "ratesStored", rates: stored }, now);
  }
  dropRates(ids: readonly string[]): void {
    for (const id of ids) this.#rates.delete(id);
  }
}
