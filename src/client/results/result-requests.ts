// Asks engines for results that did not arrive by themselves, many runs per request.
import type { NatsLink } from "../../nats/link.ts";
import { encodeMessage } from "../../wire/messages.ts";
import type {} from "../../wire/verbs.ts";
import type { LeaderLine } from "../asking/leader-line.ts";
import type { EndedResults } from "./ended-results.ts";

export interface ResultRequestsParts {
  readonly link: NatsLink;
  readonly line: LeaderLine;
  /** Where answers are to be sent. */
  readonly inbox: string;
  readonly ended: EndedResults;
  /** Whether somebody waits for the run, and it may be asked for now. */
  readonly mayAsk: (key: string) => boolean;
  /** The engine does not know a run. */
  readonly onUnknown: (key: string) => void;
}

const keysInARequest = 1_000;
/** Ids may have 256 bytes: a request must fit into the smallest usual `max_payload`. */
const charactersInARequest = 60_000;
/** With this many entries to read, asking for more can wait. */
const entriesKnown = 256;
/** Units: milliseconds */
const tryMs = 5_000;

export class ResultRequests {
  readonly #parts: ResultRequestsParts;
  /** Keys to ask for with the next requests. */
  readonly #toAsk = new Set<string>();
  #isAsking = false;
  #isClosed = false;

  constructor(parts: ResultRequestsParts) {
    this.#parts = parts;
  }

  ask(keys: Iterable<string>): void {
    for (const key of keys) this.#toAsk.add(key);
    this.#askSoon();
  }

  close(): void {
    this.#isClosed = true;
    this.#toAsk.clear();
  }

  #askSoon(): void {
    if (this.#isAsking || this.#toAsk.size === 0) return;
    this.#isAsking = true;
    setImmediate(() => {
      this.#askAll().finally(() => {
        this.#isAsking = false;
        this.#askSoon();
      });
    });
  }

  /** One request at a time: a million waits must not be a thousand requests at once. What is not answered is due again later. */
  async #askAll(): Promise<void> {
    const { ended } = this.#parts;
    while (this.#toAsk.size > 0 && !this.#isClosed) {
      const keys = this.#nextKeys();
      if (keys.length > 0 && !(await this.#request(keys))) this.#toAsk.clear();
      // An entry is read once, when everybody waiting for something in it is known.
      if (this.#toAsk.size === 0 || ended.waiting >= entriesKnown) ended.read();
    }
  }

  #nextKeys(): string[] {
    const { link, ended, mayAsk } = this.#parts;
    const keys: string[] = [];
    const mostCharacters = Math.min(charactersInARequest, link.maxPayload / 8);
    let characters = 0;
    for (const key of this.#toAsk) {
      if (keys.length === keysInARequest || characters > mostCharacters) break;
      this.#toAsk.delete(key);
      if (ended.isOnItsWay(key) || !mayAsk(key)) continue;
      keys.push(key);
      characters += key.length;
    }
    return keys;
  }

  /** Whether an engine has answered; if none leads now, the next one is asked as soon as it does. */
  async #request(keys: readonly string[]): Promise<boolean> {
    const { line, inbox, ended, onUnknown } = this.#parts;
    const reply = await line.ask("result", encodeMessage({ keys, inbox }), tryMs).catch(() => undefined);
    if (reply?.kind !== "answer") return false;
    for (const key of reply.answer.unknown) onUnknown(key);
    ended.add(reply.answer.ended ?? []);
    return true;
  }
}
