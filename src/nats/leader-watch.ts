// A leader whose process has ended is noticed before its lease expires: its connection is gone as well, and the server says so at once to
// whoever asks. Only a leader that is cut off or suspended has to be waited for.
import type { Effect, Scope } from "effect";
import type { Log } from "../domain/log.ts";
import { noBytes } from "../wire/bytes.ts";
import type { Subjects } from "../wire/subjects.ts";
import { hearing } from "./door.ts";
import type { NatsLink } from "./link.ts";
import { Mouth } from "./mouth.ts";
import { isNoResponders } from "./no-responders.ts";

/** A leader may be away for a moment, for instance while it reconnects: this many answers in a row, this long apart, mean that it is gone. */
const goneAfterAnswers = 3;
const goneAfterMs = 450;
/** A killed process may hold its connection silently for a moment. */
const answerWithinMs = 150;

/** While the scope is open, this engine answers whoever asks whether it is alive. */
export function sayingThatItLeads(
  link: NatsLink,
  subjects: Subjects,
  engine: string,
  log: Log,
): Effect.Effect<unknown, never, Scope.Scope> {
  const mouth = new Mouth(link, log);
  return hearing(link, subjects.leader(engine), ({ reply = "" }) => void mouth.say(reply, noBytes));
}

export class LeaderWatch {
  readonly #link: NatsLink;
  readonly #subjects: Subjects;
  #asked = "";
  #noResponders = 0;
  #firstAt = 0;
  /** The leader did not answer the last time. */
  isInDoubt = false;

  constructor(link: NatsLink, subjects: Subjects) {
    this.#link = link;
    this.#subjects = subjects;
  }

  /** Asks once; `gone` only once the server has said often enough that nobody listens. */
  async look(engine: string): Promise<"alive" | "gone" | "unknown"> {
    if (engine !== this.#asked) this.#noResponders = 0;
    this.#asked = engine;
    try {
      await this.#link.nc.request(this.#subjects.leader(engine), noBytes, { timeout: answerWithinMs });
      this.#noResponders = 0;
      this.isInDoubt = false;
      return "alive";
    } catch (error) {
      this.isInDoubt = true;
      if (!isNoResponders(error)) return "unknown";
      if (this.#noResponders === 0) this.#firstAt = performance.now();
      this.#noResponders += 1;
      const isGone = this.#noResponders >= goneAfterAnswers && performance.now() - this.#firstAt >= goneAfterMs;
      return isGone ? "gone" : "unknown";
    }
  }
}
