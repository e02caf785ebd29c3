import type { CronRecord, StoredCron } from "../../src/domain/cron-record.ts";
import type { FailureHandler } from "../../src/domain/failure.ts";
import { noPauses, type Pauses } from "../../src/domain/pauses.ts";
import type { Command, StoredRate } from "../../src/matching/commands.ts";
import type { ConfirmedRate } from "../../src/matching/limits/rates.ts";
import type { StoreTriedCommand } from "../../src/matching/suspects/tried.ts";
import type { TaskDeclaration } from "../../src/wire/worker-messages.ts";
import type { ModelEngine } from "./model-engine.ts";

type StoreCron = Extract<Command, { type: "storeCron" }>;
type StoreRates = Extract<Command, { type: "storeRates" }>;

interface RateRecord {
  readonly rate: StoredRate;
  /** Of the leader that wrote it. */
  readonly epoch: number;
  readonly seq: number;
}

/** What is stored beside the log, each record written over the one that its writer knows. */
export class ModelBucket {
  pauses: Pauses = noPauses;
  /** What workers declared, by task. */
  readonly definitions = new Map<string, TaskDeclaration>();
  readonly #rates = new Map<string, RateRecord>();
  /** What leaders tried in their own process. */
  tried: Pick<StoreTriedCommand, "tried" | "cautious"> = { tried: [] };
  #triedEpoch = 0;
  #lastSeq = 0;
  /** By the task whose failures they handle. */
  readonly handlers = new Map<string, FailureHandler>();
  /** Up to where failures are handled. */
  handled = { epoch: 0, upTo: 0 };
  /** Up to where nothing is left of erased runs. */
  erased = { epoch: 0, upTo: 0 };
  readonly crons = new Map<string, StoredCron>();
  /** Records that had been written by another leader meanwhile. */
  merged = 0;

  /** False when a newer leader has written. */
  storeTried({ tried, cautious }: StoreTriedCommand, epoch: number): boolean {
    if (epoch < this.#triedEpoch) return false;
    this.#triedEpoch = epoch;
    this.tried = { tried, ...(cautious && { cautious }) };
    return true;
  }
  /** False when a newer leader has written; what one before it has written counts too. */
  storeHandled(upTo: number, epoch: number): boolean {
    if (epoch < this.handled.epoch) return false;
    this.handled = { epoch, upTo: Math.max(upTo, this.handled.upTo) };
    return true;
  }
  /** Nothing when a newer leader has written. */
  storeErased(upTo: number, epoch: number): void {
    if (epoch >= this.erased.epoch) this.erased = { epoch, upTo };
  }
  /** Over the record that stands where its writer thinks. */
  storeCron({ record, over }: Pick<StoreCron, "record" | "over">): boolean {
    if (this.crons.get(record.name)?.seq !== over.seq) return false;
    this.putCron(record);
    return true;
  }
  putCron(record: CronRecord): void {
    this.crons.set(record.name, { record, seq: ++this.#lastSeq });
  }
  /** An engine reads all rate limits before it leads. */
  loadRates(engine: ModelEngine): StoredRate[] {
    engine.rateSeqs.clear();
    for (const [id, { seq }] of this.#rates) engine.rateSeqs.set(id, seq);
    return [...this.#rates.values()].map(({ rate }) => rate);
  }
  storeRates(engine: ModelEngine, command: StoreRates, now: number): void {
    const { epoch, isLeading } = engine.state;
    if (isLeading) engine.give({ type: "ratesStored", rates: this.writeRates(engine, command, epoch) }, now);
  }
  /** What a newer leader wrote stays, and is left out of the answer; what an older one wrote meanwhile is added. */
  writeRates(engine: ModelEngine, { rates }: StoreRates, epoch: number): ConfirmedRate[] {
    return rates.flatMap(({ units, ...rate }) => {
      const { id } = rate;
      const there = this.#rates.get(id);
      if ((there?.seq ?? 0) === (engine.rateSeqs.get(id) ?? 0)) {
        this.#put(engine, rate, epoch);
        return [{ id, units }];
      }
      if (there === undefined) engine.rateSeqs.set(id, 0);
      else if (there.epoch > epoch) return [];
      const found = there?.rate;
      const uses = [...(found?.uses ?? []), ...rate.uses];
      this.#put(engine, { ...rate, uses, held: (found?.held ?? 0) + (rate.held ?? 0) }, epoch);
      if (found === undefined || there?.epoch === epoch) return [{ id, units }];
      this.merged++;
      return [{ id, units, found }];
    });
  }
  #put(engine: ModelEngine, rate: StoredRate, epoch: number): void {
    const seq = ++this.#lastSeq;
    this.#rates.set(rate.id, { rate, epoch, seq });
    engine.rateSeqs.set(rate.id, seq);
  }
  dropRates(engine: ModelEngine, ids: readonly string[]): void {
    for (const id of ids) {
      this.#rates.delete(id);
      engine.rateSeqs.delete(id);
    }
  }
}
