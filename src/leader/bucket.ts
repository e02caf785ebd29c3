// The bucket of the namespace: a leader reads it before it leads, and keeps it up to date.
import type { Log } from "../domain/log.ts";
import { noPauses } from "../domain/pauses.ts";
import type { Definitions } from "../nats/definitions.ts";
import { OwnedRecords } from "../nats/owned-records.ts";
import { readRecord } from "../nats/stored-records.ts";
import type { LeadEvent } from "../presence/takeover.ts";
import type { StoredFailures } from "../reactions/failures.ts";
import type { Briefing } from "../scheduler/briefing.ts";
import {
  isFailureHandler,
  isHandled,
  isKnownWorkers,
  isPauses,
  isWorkerIds,
  type KnownWorker,
} from "../wire/records.ts";
import { isDeclaredTask } from "../wire/registration.ts";
import { CronStore } from "./cron-store.ts";
import { KeptRecords } from "./kept-records.ts";
import { RateStore } from "./rate-store.ts";
import type { Term } from "./term.ts";
import { TriedStore } from "./tried-store.ts";

const handledKey = "handled";
/** Each record must fit into a message. Units: characters */
const largestDetails = 200_000;
/** Beyond that, details are not compared each time a worker registers. */
const mostDetailed = 2_000;

export class Bucket {
  readonly definitions: Definitions;
  readonly kept: KeptRecords;
  readonly crons: CronStore;
  readonly rates: RateStore;
  readonly tried: TriedStore;
  readonly #handled: OwnedRecords<{ readonly epoch: number; readonly upTo: number }>;
  readonly #log: Log;

  constructor(definitions: Definitions, log: Log) {
    this.definitions = definitions;
    this.kept = new KeptRecords(definitions, log);
    this.crons = new CronStore(definitions, log);
    this.rates = new RateStore(definitions, log);
    this.tried = new TriedStore(definitions, log);
    this.#handled = new OwnedRecords(definitions, isHandled, log);
    this.#log = log;
  }

  /** What a leader must know before it leads: without the tasks, for example, no timeout until a worker registers. Fails: StoreUnavailable, PermissionDenied */
  async read() {
    return {
      known: await this.#known(),
      tried: await this.tried.load(),
      briefing: {
        definitions: await this.kept.load("task.", isDeclaredTask),
        pauses: (await readRecord(this.definitions, "pauses", isPauses, this.#log)).record ?? noPauses,
        rates: await this.rates.load(),
        failures: await this.#failures(),
        crons: await this.crons.load(),
      } satisfies Briefing,
    };
  }
  /** Undefined when a newer leader has written. Fails as {@link Bucket.read} */
  storeHandled(epoch: number, upTo: number): Promise<object | undefined> {
    return this.#handled.write(handledKey, epoch, (found) => ({ epoch, upTo: Math.max(upTo, found?.upTo ?? 0) }));
  }

  /** Their ids, and details that save the next leader time: without them each may have any task. */
  keepWorkers(known: readonly KnownWorker[], term: Term): void {
    const fits = known.length <= mostDetailed && JSON.stringify(known).length <= largestDetails;
    this.kept.keep("workers-details", fits ? known : undefined, term);
    const ids = known.map(({ id }) => id);
    this.kept.keep("workers", ids, term);
  }
  async #known(): Promise<Pick<LeadEvent, "knownWorkers" | "details">> {
    const details = (await this.kept.read("workers-details", isKnownWorkers)) ?? [];
    return {
      knownWorkers: (await this.kept.read("workers", isWorkerIds)) ?? [],
      details: new Map(details.map((known) => [known.id, known])),
    };
  }

  async #failures(): Promise<StoredFailures> {
    const handlers = await this.kept.load("on-failure.", isFailureHandler);
    return { handlers, upTo: (await this.#handled.load(handledKey))?.upTo ?? 0 };
  }
}
