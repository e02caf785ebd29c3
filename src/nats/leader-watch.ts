// How standbys learn that nobody leads. A leader that leaves tells them. One whose process has ended is noticed before its lease expires: its
// connection is gone too, and the server says so at once to whoever asks for it. Only a leader that is cut off or suspended must be waited for.
import { createInbox } from "@nats-io/transport-node";
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import type { Log } from "../domain/log.ts";
import { deferred } from "../runtime/deferred.ts";
import { noBytes, textOf, utf8 } from "../wire/bytes.ts";
import { isInbox } from "../wire/result-inbox.ts";
import type { Subjects } from "../wire/subjects.ts";
import { hearing } from "./door.ts";
import type { Msg, NatsLink } from "./link.ts";
import { Mouth } from "./mouth.ts";
import { isNoResponders } from "./no-responders.ts";

/** A leader may be away for a moment, for instance while it reconnects. It is gone if this many answers in a row say so, over this time. */
const goneAfterAnswers = 3;
const goneAfterMs = 450;
/** A killed process may hold its connection silently for a moment. */
const answerWithinMs = 150;

/** How many standbys are told at once. All of them would only race for the lease; the others look by themselves soon. */
const mostTold = 4;

/** What a leader tells standbys: that it is alive, whenever one asks; and that its lease is free, to those that asked last. */
export class LeaderVoice {
  /** Answers standbys while the scope is open. */
  readonly alive: Effect.Effect<unknown, never, Scope.Scope>;
  readonly #mouth: Mouth;
  /** The inboxes of standbys, in the order in which they last asked. */
  readonly #standbys = new Set<string>();

  constructor(link: NatsLink, subjects: Subjects, engine: string, log: Log) {
    this.#mouth = new Mouth(link, log);
    this.alive = hearing(link, subjects.leader(engine), (message) => this.#answer(message));
  }

  /** Best effort: a standby that does not hear it looks again by itself. */
  sayFree(): void {
    for (const inbox of this.#standbys) this.#mouth.say(inbox, noBytes);
  }

  #answer({ reply = "", data }: Msg): void {
    this.#mouth.say(reply, noBytes);
    const inbox = textOf(data);
    if (!isInbox(inbox)) return; // an engine of an older version names none
    this.#standbys.delete(inbox);
    this.#standbys.add(inbox);
    for (const oldest of this.#standbys) if (this.#standbys.size > mostTold) this.#standbys.delete(oldest);
  }
}

export class LeaderWatch {
  readonly #link: NatsLink;
  readonly #subjects: Subjects;
  readonly #inbox: string;
  #freed = deferred<void>();
  #asked = "";
  #noResponders = 0;
  #firstAt = 0;
  /** The leader did not answer the last question. */
  isInDoubt = false;

  constructor(link: NatsLink, subjects: Subjects) {
    this.#link = link;
    this.#subjects = subjects;
    this.#inbox = createInbox(link.inboxPrefix);
  }

  /** While the scope is open, this engine hears when a leader says that its lease is free. */
  get listening(): Effect.Effect<unknown, never, Scope.Scope> {
    return hearing(this.#link, this.#inbox, () => this.#freed.resolve());
  }

  /** Ends when a leader has said, since the last look began, that its lease is free. Each such message ends it only once. */
  get freed(): Effect.Effect<void> {
    return Effect.promise(async () => {
      await this.#freed.promise;
      this.#freed = deferred();
    });
  }

  /** Asks a leader once. Returns `gone` when the server has said often enough that nobody listens there. */
  async look(engine: string): Promise<"alive" | "gone" | "unknown"> {
    this.#freed = deferred();
    if (engine !== this.#asked) this.#noResponders = 0;
    this.#asked = engine;
    try {
      await this.#link.nc.request(this.#subjects.leader(engine), utf8(this.#inbox), { timeout: answerWithinMs });
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
