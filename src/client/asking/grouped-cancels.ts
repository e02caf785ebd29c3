// Grouped cancels: those of single runs that are made together are sent together. Otherwise an engine that gets twenty thousand requests has
// stored all of them before it has answered half.
import { EngineRefused } from "../../domain/errors.ts";
import type { CancelReply } from "../../domain/listing.ts";
import type { Cancellation } from "../../domain/run.ts";
import { type Deferred, deferred } from "../../runtime/deferred.ts";
import type { CancelRuns } from "../../wire/verbs.ts";
import type { Patience } from "./patience.ts";

type Did = Cancellation | "unknown";
type Ask = (request: CancelRuns, patience: Patience | undefined) => Promise<CancelReply>;

/** Cancels with the same reason and timeout. */
interface Group {
  readonly reason: string;
  readonly patience: Patience | undefined;
  readonly waiting: Map<string, Deferred<Did>>;
}

/** With more in a group, the first would wait too long until the last is stored. */
const mostTogether = 2_000;
const outcomes = ["unknown", "stopping", "finished", "cancelled"] as const;

export class GroupedCancels {
  readonly #ask: Ask;
  readonly #groups = new Map<string, Group>();

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  cancel(key: string, reason: string, patience?: Patience): Promise<Did> {
    const { waiting } = this.#groupOf(reason, patience);
    let answer = waiting.get(key);
    if (answer === undefined) {
      answer = deferred<Did>();
      waiting.set(key, answer);
    }
    return answer.promise;
  }

  #groupOf(reason: string, patience: Patience | undefined): Group {
    const id = JSON.stringify([reason, patience]);
    const open = this.#groups.get(id);
    if (open !== undefined && open.waiting.size < mostTogether) return open;
    const group: Group = { reason, patience, waiting: new Map() };
    this.#groups.set(id, group);
    setImmediate(() => {
      if (this.#groups.get(id) === group) this.#groups.delete(id);
      void this.#cancelAll([...group.waiting.keys()], group);
    });
    return group;
  }

  async #cancelAll(keys: readonly string[], group: Group): Promise<void> {
    const { reason, patience, waiting } = group;
    try {
      const reply = await this.#ask({ runs: keys, reason }, patience);
      const left = new Set(keys);
      for (const did of outcomes) for (const key of reply[did]) if (left.delete(key)) waiting.get(key)!.resolve(did);
      for (const key of left) waiting.get(key)!.reject(new Error(`the engine's answer does not name ${key}`));
    } catch (error) {
      const half = Math.ceil(keys.length / 2);
      const isOfOne = !(error instanceof EngineRefused) || keys.length === 1;
      if (isOfOne) for (const key of keys) waiting.get(key)!.reject(error);
      // A problem with one of them must not be the answer to all, so each half is tried alone.
      else await Promise.all([this.#cancelAll(keys.slice(0, half), group), this.#cancelAll(keys.slice(half), group)]);
    }
  }
}
