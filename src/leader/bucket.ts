// The bucket of the namespace: a leader reads it before it leads, and keeps it up to date.
import type { CronRecord } from "../domain/cron-record.ts";
import type { Log } from "../domain/log.ts";
import { noPauses, type Pauses } from "../domain/pauses.ts";
import type { StoredRate } from "../matching/commands.ts";
import type { ConfirmedRate } from "../matching/limits/rates.ts";
import { type Owned, OwnedRecords } from "../nats/owned-records.ts";
import type { RecordStore } from "../nats/record-store.ts";
import { Records } from "../nats/records.ts";
import type { Briefing } from "../scheduler/briefing.ts";
import {
  type AdmissionFlag,
  isAdmissionFlag,
  isDeclaredCrons,
  isFailureHandler,
  isKnownWorkers,
  isPauses,
  isStoredCron,
  isStoredRate,
  isUpTo,
  isWorkerIds,
  type KnownWorker,
} from "../wire/records.ts";
import { isDeclaredTask } from "../wire/registration.ts";
import { KeptRecords } from "./kept-records.ts";
import type { Term } from "./term.ts";
import { TriedStore } from "./tried-store.ts";

/** Each record must fit into a message. Units: characters */
const largestDetails = 200_000;
/** With more workers than that, details are not kept: all of them are compared each time a worker registers. */
const mostDetailed = 2_000;

export class Bucket {
  readonly store: RecordStore;
  /** The kept records of the current term. Writes that wait or hang when the term ends do not concern the next one. */
  kept: KeptRecords;
  /** The stored schedules, by the base64url of their names. */
  readonly crons: Records<CronRecord>;
  /** By worker: when the newest process started whose code declared schedules. */
  readonly declaredCrons: Records<{ readonly startedAt: number }>;
  readonly pauses: Records<Pauses>;
  /** Clients read it when they connect. */
  readonly admission: Records<AdmissionFlag>;
  readonly tried: TriedStore;
  readonly #rates: OwnedRecords<StoredRate & Owned>;
  readonly #handled: OwnedRecords<Owned & { readonly upTo: number }>;
  readonly #erased: OwnedRecords<Owned & { readonly upTo: number }>;
  readonly #log: Log;
  readonly #term: () => Term;
  readonly #newKept: () => KeptRecords;

  /** `term` gives the current term, or else the last one. Everything that is stored belongs to it. */
  constructor(store: RecordStore, log: Log, term: () => Term, holdsLease: () => boolean) {
    this.store = store;
    this.#newKept = () => new KeptRecords(store, log, term(), holdsLease);
    this.kept = this.#newKept();
    this.crons = new Records(store, "cron.", isStoredCron, log);
    this.declaredCrons = new Records(store, "crons-of.", isDeclaredCrons, log);
    this.admission = new Records(store, "admission", isAdmissionFlag, log);
    this.pauses = new Records(store, "pauses", isPauses, log);
    this.tried = new TriedStore(store, log, term);
    this.#rates = new OwnedRecords(new Records(store, "rate.", isStoredRate, log));
    this.#handled = new OwnedRecords(new Records(store, "handled", isUpTo, log));
    this.#erased = new OwnedRecords(new Records(store, "erased", isUpTo, log));
    this.#log = log;
    this.#term = term;
  }

  /**
   * Reads what a leader must know before it leads: without the tasks, for example, it would know no timeout until a worker registers. All records
   * are read at once, because each may take several round trips while runs wait. Fails: StoreUnavailable, PermissionDenied
   */
  async read() {
    const kept = this.#newKept();
    const [knownWorkers = [], details, tried, definitions, pauses, rates, handlers, handled, erased, crons] =
      await Promise.all([
        kept.read("workers", isWorkerIds),
        kept.read("workers-details", isKnownWorkers),
        this.tried.load(),
        kept.load("task.", isDeclaredTask),
        this.pauses.find(),
        this.#rates.loadAll(),
        kept.load("on-failure.", isFailureHandler),
        this.#handled.load(),
        this.#erased.load(),
        this.crons.all(),
      ]);
    this.kept = kept; // only now: reads of a failed try may go on beside the next try
    const failures = { handlers, upTo: handled?.upTo ?? 0 };
    return {
      known: { knownWorkers, details: new Map(details?.map((known) => [known.id, known])) },
      tried,
      briefing: {
        ...{ definitions, pauses: pauses?.record ?? noPauses, rates, failures, crons },
        erasedUpTo: erased?.upTo ?? 0,
      } satisfies Briefing,
    };
  }
  /** Stores up to where failures are handled; undefined if a newer leader has written. Fails as {@link Bucket.read} */
  storeHandled(upTo: number): Promise<object | undefined> {
    const { epoch } = this.#term();
    return this.#handled.write(epoch, (found) => ({ epoch, upTo: Math.max(upTo, found?.upTo ?? 0) }));
  }

  /** Stores up to where erased runs are gone. Replaces a higher value too: an earlier log may have been longer. Fails as {@link Bucket.read} */
  async storeErased(upTo: number): Promise<void> {
    const { epoch } = this.#term();
    await this.#erased.write(epoch, () => ({ epoch, upTo }));
  }

  /** Stores what this leader has used and reserved of rate limits. Records of a newer leader stay, and their limits are omitted from the answer. */
  async storeRates(rates: readonly (StoredRate & Pick<ConfirmedRate, "units">)[]): Promise<readonly ConfirmedRate[]> {
    const { epoch } = this.#term();
    const store = async ({ units, ...rate }: (typeof rates)[number]) => {
      const written = await this.#rates.write(epoch, (found) => sumOf(rate, found, epoch), rate.id);
      if (written !== undefined) return [{ id: rate.id, units, ...written }];
      const what = "another engine owns this rate limit now; this one reserves nothing from it";
      this.#log.warn(what, { limit: rate.id });
      return [];
    };
    return (await Promise.all(rates.map(store))).flat();
  }

  dropRates(ids: readonly string[]): Promise<void> {
    return this.#rates.drop(ids);
  }

  /** Keeps the ids of the workers, and details that save the next leader time: without details, it must assume that a worker has any task. */
  keepWorkers(known: readonly KnownWorker[]): void {
    const fits = known.length <= mostDetailed && JSON.stringify(known).length <= largestDetails;
    this.kept.keep("workers-details", fits ? known : undefined);
    this.kept.keep(
      "workers",
      known.map(({ id }) => id),
    );
  }
}

/** Includes what the previous leader wrote after this one had read the record. */
const sumOf = ({ id, perMs, uses, held = 0 }: StoredRate, found: StoredRate | undefined, epoch: number) => ({
  ...{ id, perMs, epoch, held: held + (found?.held ?? 0) },
  uses: found === undefined ? uses : [...found.uses, ...uses],
});
