// A pending cancel: a wish to cancel a run, from the moment when its worker hears of it until it reaches the code. It reaches the code once,
// wherever the code waits by then.
import { cancelSignal } from "../../domain/durable.ts";
import { RunCancelled } from "../../domain/errors.ts";
import { type Delivery, noOp } from "../../wire/journal-message.ts";
import type { Frame } from "./frame.ts";
import { encodeError } from "./stored-error.ts";
import type { TurnGiven } from "./turn-host.ts";
import { openWaits } from "./waits.ts";

/** `sequence` is 0 if the wish did not come from the log. Units: `time` epoch milliseconds */
interface Wish {
  readonly reason: string;
  readonly time: number;
  readonly sequence: number;
}

export class PendingCancel {
  readonly #key: string;
  #wish: Wish | undefined;

  constructor({ key, resume }: Pick<TurnGiven, "key" | "resume">) {
    this.#key = key;
    this.#wish = resume?.offers.find((offer) => offer.kind === "cancel");
  }

  /** Whether there is a wish that has not reached the code. */
  get isOpen(): boolean {
    return this.#wish !== undefined;
  }

  make(wish: Wish): void {
    this.#wish = wish;
  }

  error(reason: string): RunCancelled {
    return new RunCancelled({ key: this.#key, reason });
  }

  /** Delivers the wish to all open waits and to all steps that have not started. If there are none, the wish waits for executing steps. */
  reach(frame: Frame): Delivery[] {
    const wish = this.#wish;
    if (wish === undefined) return [];
    const { time, sequence, reason } = wish;
    const note = { time, sequence, form: "cancel" as const };
    if (frame.isCancelled) {
      this.#wish = undefined;
      if (sequence <= (frame.cursors[cancelSignal] ?? 0)) return [];
      return [{ ...note, kind: "signal", ordinal: noOp, hash: 0, name: cancelSignal, value: "" }];
    }
    const open = [...openWaits(frame), ...frame.ops.thatAre("new")];
    if (open.length === 0) return [];
    this.#wish = undefined;
    const value = encodeError(this.error(reason));
    return open.map((op) => op.end({ ...note, value }));
  }

  /** The result of a step that failed with this error. If a wish is open, it has stopped the step, and reaches the code with this result. */
  failed(error: string): Pick<Delivery, "form" | "value" | "sequence"> {
    const wish = this.#wish;
    if (wish === undefined) return { form: "error", value: error, sequence: 0 };
    this.#wish = undefined;
    return { form: "cancel", value: encodeError(this.error(wish.reason)), sequence: wish.sequence };
  }
}
