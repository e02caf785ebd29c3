// Counts the attempts of a worker. Created only if somebody reads it: a worker without one counts nothing.
import type { OutcomeKind } from "../domain/run.ts";

/** Upper bounds of the histogram of durations. Units: milliseconds */
export const durationBounds = [
  5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000,
] as const;

/** `fenced`: it no longer counted, and nothing of it was stored. */
export type AttemptEnd = OutcomeKind | "fenced";

/** What happened to the attempts of one task since the process began. */
export interface TaskFigures {
  started: number;
  readonly ended: Map<AttemptEnd, number>;
  /** Ended attempts by duration: one count for each bound, and one for what took longer. */
  readonly durations: Uint32Array;
  totalMs: number;
}

export class Meter {
  readonly tasks = new Map<string, TaskFigures>();
  #slots = 0;
  #stuck = 0;
  /** On the clock of `performance.now`. */
  #allStuckSince: number | undefined;

  /** Adds the slots of a worker whose attempts are counted here. */
  addSlots(slots: number): void {
    this.#slots += slots;
  }

  /** Slots whose attempt has its verdict while its code keeps running: it ignores its signal. */
  get stuck(): number {
    return this.#stuck;
  }

  /** How long every slot has been stuck; 0 while one is not. Units: milliseconds */
  get allStuckMs(): number {
    return this.#allStuckSince === undefined ? 0 : performance.now() - this.#allStuckSince;
  }

  started(task: string): void {
    this.#figuresOf(task).started += 1;
  }

  ended(task: string, outcome: AttemptEnd, ms: number): void {
    const figures = this.#figuresOf(task);
    figures.ended.set(outcome, (figures.ended.get(outcome) ?? 0) + 1);
    figures.durations[placeOf(ms)]! += 1;
    figures.totalMs += ms;
    this.#changeStuck(+1);
  }

  /** Called when the code of an attempt with a verdict has ended too, and its slot is free. */
  left(): void {
    this.#changeStuck(-1);
  }

  #changeStuck(by: number): void {
    this.#stuck += by;
    if (this.#stuck < this.#slots) this.#allStuckSince = undefined;
    else this.#allStuckSince ??= performance.now();
  }

  #figuresOf(task: string): TaskFigures {
    const known = this.tasks.get(task);
    if (known !== undefined) return known;
    const durations = new Uint32Array(durationBounds.length + 1);
    const figures: TaskFigures = { started: 0, ended: new Map(), durations, totalMs: 0 };
    this.tasks.set(task, figures);
    return figures;
  }
}

function placeOf(ms: number): number {
  const place = durationBounds.findIndex((bound) => ms <= bound);
  return place < 0 ? durationBounds.length : place;
}
