import { originIn } from "../../src/domain/origin.ts";
import { isFinal, keyOf } from "../../src/domain/run.ts";
import type { FoldedEntry, FoldedOutcome } from "../../src/fold/log-events.ts";
import type { CompactedFinished, CompactedLive } from "../../src/wire/run-extra.ts";
import type { LogEntry } from "./model-stream.ts";

export interface Known {
  readonly origin: number;
  turn: number;
  attempt: number;
  lost: number;
  /** By the server's clock, as all times are. */
  readonly createdAt: number;
  readyAt: number;
  finished: { readonly kind: string; readonly seq: number; readonly at: number } | undefined;
  /** Its entry was seen, with an input that its outcome shall not repeat. */
  readonly isLarge: boolean;
  lastOutcome: number;
  readonly isErased?: boolean;
  /** Where the log says first that somebody wants it cancelled. */
  wishedAt?: { readonly seq: number; readonly at: number };
  readonly scheduleTimeoutMs: number | null | undefined;
  /** Since when its current turn waits in the queue. */
  waitsFrom: number;
  /** The time by then during which somebody led. */
  ledAt: number;
}

/** The rules of the fold in their shortest form, for a log that nothing was removed from. Written apart from the product's. */
export class ReferenceFold {
  readonly keys = new Map<string, Known>();
  /** Every final outcome that was ever accepted: `key@origin` → its kind and sequence. */
  readonly accepted = new Map<string, string>();

  /** Every `key at seq` that was ever the answer. */
  readonly answers = new Set<string>();

  #ledMs = 0;

  /** `ledMs`: time during which somebody led. */
  fold(entry: LogEntry, ledMs: number): void {
    this.#ledMs = ledMs;
    if (entry.type === "entry") this.#foldRun(keyOf(entry.task, entry.id), entry.seq, entry.at, entry.entry);
    else if (entry.type === "bundle")
      entry.runs.forEach(({ id, entry: run }, i) => {
        this.#foldRun(keyOf(entry.task, id), originIn(entry.seq, i), entry.at, run);
      });
    else if (entry.type === "outcomes")
      for (const outcome of entry.outcomes) {
        if (entry.moved !== undefined && this.#move(outcome, entry.moved.places, entry.seq)) continue;
        this.#foldOutcome(outcome, entry.seq, entry.moved?.at ?? entry.at, entry.by === "engine");
      }
  }
  /** What all engines have to agree on. */
  describe(key: string): string {
    const known = this.keys.get(key);
    if (known === undefined) return "unknown";
    const { finished, turn, attempt, lost, origin, createdAt, readyAt } = known;
    return finished === undefined
      ? `live turn ${turn} attempt ${attempt} lost ${lost} origin ${origin} created ${createdAt} ready ${readyAt}`
      : `${finished.kind} at ${finished.seq}, ${finished.at}`;
  }

  #foldRun(key: string, createdAs: number, at: number, entry: FoldedEntry): void {
    const state = entry.extra?.state;
    const known = this.keys.get(key);
    if (known !== undefined) {
      if (known.finished !== undefined && state !== undefined && !("turn" in state))
        known.lastOutcome = Math.max(known.lastOutcome, state.asOf);
      return;
    }
    const isLarge = entry.input !== undefined && entry.input.length > 4_096;
    const first = { turn: 1, attempt: 1, lost: 0, finished: undefined, lastOutcome: 0 };
    const readyAt = at + Math.max(entry.dueAt - entry.createdAt, 0);
    const { scheduleTimeoutMs } = entry;
    const waiting = { scheduleTimeoutMs, readyAt, waitsFrom: readyAt, ledAt: this.#ledMs };
    const fresh: Known = { origin: createdAs, isLarge, createdAt: at, ...waiting, ...first };
    if (state === undefined) this.keys.set(key, fresh);
    else if ("turn" in state) {
      const { origin, turn, attempt, lost, readyAt } = state as CompactedLive;
      this.keys.set(key, { ...fresh, origin, turn, attempt, lost, readyAt, createdAt: entry.createdAt });
    } else {
      const { origin, kind, seq, asOf, at: endedAt } = state as CompactedFinished;
      this.keys.set(key, { ...fresh, origin, finished: { kind, seq, at: endedAt }, lastOutcome: asOf });
    }
  }
  /** Where the accepted outcome of a run stands now. */
  #move({ key, kind, origin }: FoldedOutcome, places: readonly number[], seq: number): boolean {
    const known = this.keys.get(key);
    const { finished } = known ?? {};
    if (known === undefined || finished === undefined || known.origin !== origin) return false;
    if (finished.kind !== kind || !places.includes(finished.seq)) return false;
    known.finished = { ...finished, seq };
    known.lastOutcome = Math.max(known.lastOutcome, seq);
    this.answers.add(`${key} at ${seq}`);
    return true;
  }
  /** Nothing else is known of it from here on. */
  #foldStone({ key, origin, detail }: FoldedOutcome, seq: number, at: number): void {
    const known = this.keys.get(key);
    if (known !== undefined && known.origin !== origin) return;
    const finished = { kind: (detail as { was: string }).was, seq, at };
    this.answers.add(`${key} at ${seq}`);
    const first = { isLarge: false, attempt: 1, lost: 0, createdAt: 0, turn: 1 };
    const waiting = { scheduleTimeoutMs: undefined, readyAt: 0, waitsFrom: 0, ledAt: 0 };
    this.keys.set(key, { ...first, ...waiting, origin, finished, lastOutcome: seq, isErased: true });
  }
  /** Somebody wants an end of a run that may be executing. */
  #noteWish({ key, kind, origin }: FoldedOutcome, seq: number, at: number): void {
    const known = this.keys.get(key);
    if (kind === "cancelling" && known?.origin === origin && known.finished === undefined)
      known.wishedAt ??= { seq, at };
  }
  #foldOutcome(outcome: FoldedOutcome, seq: number, at: number, byEngine: boolean): void {
    if (!byEngine && ["retention", "lost", "cancelling", "erased"].includes(outcome.kind)) return;
    if (outcome.kind === "erased") {
      this.#foldStone(outcome, seq, at);
      return;
    }
    this.#noteWish(outcome, seq, at);
    const { key, kind, origin, turn } = outcome;
    if (kind === "retention") {
      for (const [k, known] of this.keys)
        if (known.finished !== undefined && known.lastOutcome <= outcome.dueAt) this.keys.delete(k);
      return;
    }
    const known = this.keys.get(key);
    if (known === undefined) {
      if (!isFinal(kind)) return;
      // Also a zombie's, after its run was forgotten: nothing in the log tells it from a run whose entry was purged.
      this.answers.add(`${key} at ${seq}`);
      const finished = { kind, seq, at };
      const first = { isLarge: false, attempt: 1, lost: 0, createdAt: 0 };
      const waiting = { scheduleTimeoutMs: undefined, readyAt: 0, waitsFrom: 0, ledAt: 0 };
      this.keys.set(key, { ...first, ...waiting, origin, turn, finished, lastOutcome: seq });
      return;
    }
    known.lastOutcome = seq;
    if (kind === "cancelling") return;
    if (known.finished !== undefined || known.origin !== origin) return;
    if (kind === "completed" || (kind === "cancelled" && byEngine) || (isFinal(kind) && turn === known.turn)) {
      known.finished = { kind, seq, at };
      this.answers.add(`${key} at ${seq}`);
      this.accepted.set(`${key}@${origin}`, `${kind} at ${seq}`);
    } else if (!isFinal(kind) && turn === known.turn) {
      known.turn++;
      known.ledAt = this.#ledMs;
      if (kind === "retry") known.attempt++;
      const spanMs = outcome.dueAt > 0 ? Math.max(outcome.dueAt - outcome.at, 0) : 0;
      known.readyAt = kind === "returned" && byEngine ? Math.max(at, outcome.dueAt) : at + spanMs;
      known.waitsFrom = known.readyAt;
      if (kind === "lost") known.lost++;
    }
  }
}
