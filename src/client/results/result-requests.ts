// Requests for results that did not arrive by themselves, each for many runs.
import { RunNotFound } from "../../domain/errors.ts";
import { encodeMessage } from "../../wire/messages.ts";
import type { LeaderLine } from "../asking/leader-line.ts";
import type { EndedResults } from "./ended-results.ts";
import type { Waits } from "./waits.ts";

export interface ResultRequestsParts {
  readonly line: LeaderLine;
  /** Where answers are to be sent. */
  readonly inbox: string;
  readonly ended: EndedResults;
  readonly waits: Waits;
}

const keysInARequest = 1_000;
/** Ids may have 256 bytes: a request must fit into the smallest usual `max_payload`. */
const charactersInARequest = 60_000;
/** Once this many entries are to be read, asking for more can wait. */
const entriesKnown = 256;

export class ResultRequests {
  readonly #parts: ResultRequestsParts;
  /** Keys to ask for with the next requests. */
  readonly #toAsk = new Set<string>();
  #isAsking = false;

  constructor(parts: ResultRequestsParts) {
    this.#parts = parts;
  }

  ask(keys: Iterable<string>): void {
    for (const key of keys) this.#toAsk.add(key);
    this.#askSoon();
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
    while (this.#toAsk.size > 0) {
      const keys = this.#nextKeys();
      if (keys.length > 0 && !(await this.#request(keys))) this.#toAsk.clear();
      // An entry is read once all who wait for something in it are known.
      if (this.#toAsk.size === 0 || ended.waiting >= entriesKnown) ended.read();
    }
  }

  #nextKeys(): string[] {
    const { line } = this.#parts;
    const keys: string[] = [];
    const mostCharacters = Math.min(charactersInARequest, line.link.maxPayload / 8);
    let characters = 0;
    for (const key of this.#toAsk) {
      if (keys.length === keysInARequest || characters > mostCharacters) break;
      this.#toAsk.delete(key);
      if (!this.#mayAsk(key)) continue;
      keys.push(key);
      characters += key.length;
    }
    return keys;
  }

  /** Whether somebody waits for the run, and nothing is on its way. A run that is being created is asked for afterwards. */
  #mayAsk(key: string): boolean {
    const wait = this.#parts.waits.get(key);
    if (wait === undefined || wait.isFound) return false;
    wait.mustAsk = wait.creating > 0;
    return !wait.mustAsk;
  }

  /** Asks an engine. Returns whether it has answered. If none leads now, the next one is asked as soon as it does. */
  async #request(keys: readonly string[]): Promise<boolean> {
    const { line, inbox, ended, waits } = this.#parts;
    const reply = await line.ask("result", encodeMessage({ keys, inbox })).catch(() => undefined);
    if (reply?.kind !== "answer") return false;
    for (const key of reply.answer.unknown) {
      const wait = waits.get(key);
      if (wait !== undefined) waits.reject(wait, new RunNotFound({ key }));
    }
    ended.add(reply.answer.ended ?? []);
    return true;
  }
}
