// Ops that have ended here and are not in the journal yet: steps, and children that could not be created. The next record stores them.
import type { Delivery, DeliveryForm } from "../../wire/journal-message.ts";
import type { Frame } from "./frame.ts";
import type { Op } from "./op.ts";
import type { TurnParts } from "./turn-parts.ts";

export class EndedOps {
  readonly #turn: TurnParts;
  readonly #frame: Frame;
  readonly #onNews: () => void;
  #results: Delivery[] = [];

  constructor(turn: TurnParts, frame: Frame, onNews: () => void) {
    this.#turn = turn;
    this.#frame = frame;
    this.#onNews = onNews;
  }

  /** Adds the result of an op; an undefined `form` says that a step was given up and has none. */
  add(op: Op, form: DeliveryForm | undefined, value: string): void {
    if (form !== undefined && op.state !== "closed") {
      const { host, wish } = this.#turn;
      const time = Math.max(host.clock.now(), this.#frame.time);
      const given = form === "error" ? wish.failed(value) : { form, value, sequence: 0 };
      this.#results.push(op.end({ time, ...given }));
    }
    setImmediate(this.#onNews); // ops that end at the same moment go into the same record
  }

  /** All results, except those that nobody waits for any more. */
  take(): Delivery[] {
    return this.#results.splice(0).filter(({ ordinal }) => this.#frame.ops.at(ordinal)?.state === "ended");
  }
}
