// The environment of a durable run's turn, and how it ends.
import type { Parked, Resume } from "../../domain/durable.ts";
import type { Log } from "../../domain/log.ts";
import type { Children } from "./children.ts";
import type { Frame } from "./frame.ts";
import type { Journal } from "./journal.ts";
import type { OpenSignal, SignalSource } from "./signals.ts";
import type { StepClock } from "./step-clock.ts";

/** By task: whether its children ended so soon, when a run last waited for some, that it need not have been parked. */
export type QuickChildren = Map<string, boolean>;

/** What all turns of a worker have in common. */
export interface TurnHost {
  readonly journal: Journal;
  readonly clock: StepClock;
  /** Where signals can be read. @default signals wait until the run is parked */
  readonly signals?: SignalSource | undefined;
  /** Decrypts the data of a signal to this run. Fails: DecryptionFailed. @default the data is given as it is */
  readonly openSignal?: OpenSignal | undefined;
  readonly log: Log;
  /** How long code that was told to stop may continue. Units: milliseconds */
  readonly graceMs: number;
  /** Identifies the version of the code. */
  readonly code: string;
  /** Whether the leader was heard recently. Otherwise the run may have continued on another worker, and its journal gets no appends. */
  readonly isHeard: () => boolean;
  /** Called when a method has ended, or has thrown, while steps and children were open; nobody waits for those any more. */
  readonly onLeftBehind?: ((key: string, ops: readonly string[], threw: boolean) => void) | undefined;
  /** What the turns of a worker have learned about children. @default each turn learns by itself */
  readonly quick?: QuickChildren;
  /** Gives a random number that identifies an attempt in the journal. */
  readonly newAttempt: () => number;
}

export interface TurnGiven {
  readonly key: string;
  readonly origin: number;
  readonly turn: number;
  /** Units: epoch milliseconds */
  readonly createdAt: number;
  /** JSON; empty for undefined. */
  readonly input: string;
  readonly resume: Resume | undefined;
  readonly children: Children;
  /** Identifies the run in ids of its steps; unique forever. */
  readonly id: string;
  /** The code of a lap, given its input. Fails: with the run's error, for example InvalidData */
  readonly codeFor: (input: string) => Promise<(frame: Frame) => unknown>;
}

/** What a parked turn leaves for the next one on this worker. */
export interface KeptFrame {
  readonly frame: Frame;
  readonly turn: number;
  readonly lastSeq: number;
}

export type TurnEnd =
  | { readonly kind: "completed"; readonly output: unknown }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "cancelled"; readonly reason: string }
  | { readonly kind: "parked"; readonly parked: Parked; readonly kept: KeptFrame | undefined }
  /** The store refuses the journal now, and the run continues after this time. */
  | { readonly kind: "later"; readonly ms: number }
  | { readonly kind: "returned" }
  /** The turn belongs to another attempt, so nothing is reported. */
  | { readonly kind: "fenced" };
