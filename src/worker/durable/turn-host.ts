// The environment of a durable run's turn, and how it ends.
import type { Parked, Resume } from "../../domain/durable.ts";
import type { Log } from "../../domain/log.ts";
import type { Children } from "./children.ts";
import type { Frame } from "./frame.ts";
import type { Journal } from "./journal.ts";
import type { OpenSignal, SignalSource } from "./signals.ts";
import type { StepClock } from "./step-clock.ts";

/** By task, whether its children ended this soon when last waited for. */
export type QuickChildren = Map<string, boolean>;

/** What all turns of a worker have in common. */
export interface TurnHost {
  readonly journal: Journal;
  readonly clock: StepClock;
  /** Where signals are stored. @default they wait until the run is parked */
  readonly signals?: SignalSource | undefined;
  /** The data of a signal to this run as it was sent; may be a promise. Fails: DecryptionFailed. @default it is given as it is */
  readonly openSignal?: OpenSignal | undefined;
  readonly log: Log;
  /** How long code that was told to stop may continue. Units: milliseconds */
  readonly graceMs: number;
  /** Identifies this build. */
  readonly code: string;
  /** Whether the leader was heard recently: a run that may have continued elsewhere gets no appends. */
  readonly isHeard: () => boolean;
  /** A method has ended, or thrown, over steps and children that nobody waits for any more. */
  readonly onLeftBehind?: ((key: string, ops: readonly string[], threw: boolean) => void) | undefined;
  /** Shared by the turns of a worker. @default those of this turn know nothing of others */
  readonly quick?: QuickChildren;
  /** Chosen by chance. */
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
  /** The code of a lap, for its input. Fails: with the run's error, for example InvalidData */
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
  /** The store refuses it now. */
  | { readonly kind: "later"; readonly ms: number }
  | { readonly kind: "returned" }
  /** The turn belongs to another attempt; report nothing. */
  | { readonly kind: "fenced" };
