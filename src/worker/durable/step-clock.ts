/** The clock for steps and waits. Units: milliseconds */
export interface StepClock {
  /** The server's time. Units: epoch milliseconds */
  now(): number;
  set(act: () => void, ms: number): unknown;
  clear(timer: unknown): void;
  /** 0…1, for the jitter of pauses. */
  random(): number;
}
